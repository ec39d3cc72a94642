"""Hosts that this project did not prepare: another user, sudo with a password, other host keys, and a bastion.

The lab makes them; what it prepares for its own runs is undone before the first test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from control import PROJECT, RUN_SECONDS, Outcome

from nexus.provider import lab
from nexus.provider.lab import defaults
from nexus.provider.lab.environment import LabEnvironment, LabHost
from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import wait_until

ADDRESSES = {"edge1": "10.213.0.61", "app1": "10.213.0.62", "data1": "10.213.0.63", "ops1": "10.213.0.64"}
USER, PASSWORD = "ops", "it's $(odd) & long"
NAME = "fresh"
BASTION = "bastion.test"
INSIDE = ("--mount", "--net", "--pid", "--ipc", "--uts")
LEFT_OUT = (".venv", ".git", ".lab", "reports", "__pycache__", ".*_cache", "*.egg-info")
UNDO = f"""
useradd --create-home --shell /bin/bash --groups sudo {USER}
echo "{USER}:$PASSWORD" | chpasswd
install -d -m 700 -o {USER} -g {USER} /home/{USER}/.ssh
echo "$KEY" > /home/{USER}/.ssh/authorized_keys
chown {USER}:{USER} /home/{USER}/.ssh/authorized_keys
rm -rf /etc/sudoers.d/deploy /home/deploy/.ssh /etc/ssh/ssh_host_ed25519_key*
userdel --force --remove deploy || true
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
systemctl restart ssh
"""
CUT = """
table ip scenario_bastion {{
    chain input {{ type filter hook input priority -300; ip saddr {gateway} tcp dport 22 drop; }}
}}
"""


class BareHosts:
    """Some hosts, and the copy of the project and the home of the operator who is to deploy to them."""

    def __init__(self, place: Path, names: Sequence[str]) -> None:
        self.names = list(names)
        hosts = tuple(LabHost(name, ADDRESSES[name], ("ops",)) for name in names)
        self.lab = LabEnvironment("bare", hosts, lab.load("lab").settings)
        self.project, self.home = place / "project", place / "home"

    def up(self) -> None:
        """Make the hosts, undo what the lab prepared, and copy the project."""
        lab.down(self.lab, force=True)
        lab.up(self.lab)
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        for name in self.names:
            self.root(name, UNDO, PASSWORD=PASSWORD, KEY=self.key.with_suffix(".pub").read_text().strip())
            assert wait_until(self.host(name).answers, 30), name
        self.configure(bastion=False)
        shutil.copytree(PROJECT, self.project, ignore=shutil.ignore_patterns(*LEFT_OUT))

    def down(self) -> None:
        """Remove the hosts."""
        lab.down(self.lab, force=True)

    @property
    def key(self) -> Path:
        """The operator's private key."""
        return self.home / ".ssh/id_ed25519"

    def host(self, name: str) -> Host:
        """The host as the machine sees it."""
        return next(Host(self.lab, host) for host in self.lab.hosts if host.name == name)

    def _init(self, name: str) -> int:
        running = self.host(name).running()
        assert running, f"{name} does not run"
        assert running.init, f"{name} has not booted"
        return running.init

    def root(self, name: str, script: str, **env: str) -> str:
        """Output of a script that root runs on a host, without SSH."""
        words = ["nsenter", "--target", str(self._init(name)), *INSIDE, "sh", "-ec", script]
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(words, env={**path, **env}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout

    def fingerprint(self, name: str) -> str:
        """Of its host key, as somebody at its console reads it."""
        return self.root(name, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]

    @contextlib.contextmanager
    def fault(self, name: str, script: str, undo: str) -> Iterator[None]:
        """Something that is wrong on a host, and right again afterwards."""
        self.root(name, script)
        try:
            yield
        finally:
            self.root(name, undo)

    def configure(self, bastion: bool) -> None:
        """The operator's ssh configuration: user and key, and a bastion for all hosts but the first."""
        first, *others = (ADDRESSES[name] for name in self.names)
        lines = ["Host 10.213.0.* " + BASTION, f"  User {USER}", f"  IdentityFile {self.key}", "  IdentitiesOnly yes"]
        if bastion:
            known = self.home / ".ssh/known_bastion"
            words = self.root(self.names[0], "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
            known.write_text(f"{BASTION} {' '.join(words)}\n")
            lines += [f"Host {' '.join(others)}", f"  ProxyJump {BASTION}"]
            lines += [
                f"Host {BASTION}",
                f"  HostName {first}",
                f"  HostKeyAlias {BASTION}",
                f"  UserKnownHostsFile {known}",
            ]
        (self.home / ".ssh/config").write_text("\n".join(lines) + "\n")

    @contextlib.contextmanager
    def behind_bastion(self) -> Iterator[None]:
        """All hosts but the first refuse SSH from this machine."""
        others = self.names[1:]
        for name in others:
            self._nft(name, CUT.format(gateway=defaults.GATEWAY))
        self.configure(bastion=True)
        try:
            yield
        finally:
            self.configure(bastion=False)
            for name in others:
                self._nft(name, "delete table ip scenario_bastion")

    def _nft(self, name: str, rules: str) -> None:
        words = ["nsenter", f"--net=/proc/{self._init(name)}/ns/net", "nft", "-f", "-"]
        subprocess.run(words, input=rules, text=True, check=True)

    # The operator

    def type(self, *words: str, **env: str) -> Outcome:
        """A command in the copy, in the operator's home and without a terminal."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("NEXUS_", "SSH_"))}
        began = time.monotonic()
        done = subprocess.run(
            list(words), cwd=self.project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**kept, "HOME": str(self.home), "NEXUS_ENV": NAME, **env}, text=True, check=False, timeout=RUN_SECONDS,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, time.monotonic() - began)

    def environment(self, *words: str, **env: str) -> Outcome:
        """`make environment` of these hosts."""
        hosts = ",".join(ADDRESSES[name] for name in self.names)
        given = ["provider=ssh", "domain=nexus.example.org", f"hosts={hosts}", f"ssh_key={self.key}", *words]
        return self.type(sys.executable, "-m", "runbooks.environment", NAME, *given, **env)

    def remove(self) -> Outcome:
        """`make environment-remove`."""
        return self.type(sys.executable, "-m", "runbooks.environment", "--remove", NAME, f"confirm={NAME}")

    def pyinfra(self, inventory: str, deploy: str, *words: str, **env: str) -> Outcome:
        """A deploy."""
        program = str(Path(sys.executable).with_name("pyinfra"))
        given = {"NEXUS_SUDO_PASSWORD": PASSWORD, **env}
        return self.type(program, inventory, f"deploys/{deploy}.py", "-y", "-v", *words, **given)

    def provision(self, **env: str) -> Outcome:
        """First contact."""
        return self.pyinfra("@local", "provision", **env)

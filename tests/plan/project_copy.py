"""A copy of the project to break, and hosts that accept logins and record the commands they get.

Every run is the real command line in its own process. Its hosts are one SSH server in this process:
`Hosts.commands` has every command of a run, and `Hosts.connections` the number of its connections.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any

import paramiko
import paramiko.common
import pyrage

from tests.ssh_server import SshServer

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("nexus", "roles", "runbooks", "deploys", "inventory", "group_data", "templates", "config.py")
NOTHING = "Nothing was changed on any host."
PYINFRA = Path(sys.executable).with_name("pyinfra")


class Hosts(SshServer):
    """All hosts of an environment as one SSH server. It executes nothing."""

    def __init__(self) -> None:
        self.connections = 0
        self.commands: list[bytes] = []
        self.free = threading.Event()  # commands are refused at once while this is set
        self.free.set()
        self.silent = False  # whether connections are accepted without an answer
        self._held: list[socket.socket] = []
        super().__init__(paramiko.ECDSAKey.generate())

    def take(self, client: socket.socket) -> None:
        self.connections += 1
        if self.silent:
            self._held.append(client)
        else:
            super().take(client)

    def close(self) -> None:
        self.free.set()
        super().close()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return super().check_auth_publickey(username, key) if username == "deploy" else paramiko.common.AUTH_FAILED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.commands.append(command)
        self.free.wait()
        return False


@dataclass(frozen=True)
class Outcome:
    """The result of a run of the command line; `text` is its whole output."""

    status: int
    text: str


class Project:
    """A copy of the project with the hosts `hosts` and the lab's environment."""

    def __init__(self, root: Path, hosts: Hosts) -> None:
        self.root, self.hosts = root, hosts
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, root / part)
        self.append("group_data/one_machine.py", "\nfrontend_build = False  # no packages are installed for a test\n")
        (root / ".lab").mkdir()
        hosts.user_key.write_private_key_file(str(root / ".lab/id_ecdsa"))
        self.know(hosts.key)
        self.groups = _groups(ROOT / "inventory/lab.py", root, hosts.port)
        self.write_inventory()

    def know(self, key: paramiko.PKey) -> None:
        """Make this the known host key of every host."""
        line = f"[127.0.0.1]:{self.hosts.port} {key.get_name()} {key.get_base64()}\n"
        (self.root / ".lab/known_hosts").write_text(line)

    def host(self, name: str) -> dict[str, Any]:
        """The data of a host, which tests may change; `write_inventory` writes it to the inventory."""
        for members in self.groups.values():
            for member in members:
                if isinstance(member, tuple) and member[0] == name:
                    data: dict[str, Any] = member[1]
                    return data
        raise KeyError(name)

    def write_inventory(self) -> None:
        """Write `groups` as the lab's inventory."""
        lines = [f"{group} = {pformat(members)}\n" for group, members in self.groups.items()]
        (self.root / "inventory/lab.py").write_text("".join(lines))

    def edit(self, path: str, old: str, new: str) -> int:
        """Replace text that occurs once in a file; the number of its line. Fails unless it occurs exactly once."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def append(self, path: str, text: str) -> int:
        """Append to a file; the number of the first new line."""
        file = self.root / path
        before = file.read_text() if file.exists() else ""
        file.write_text(before + text)
        return before.count("\n") + 1

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start pyinfra with these arguments in the copy, without a terminal, with its own locks and memory."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("NEXUS_")}
        return subprocess.Popen(
            [str(PYINFRA), *words],
            cwd=self.root,
            env={**kept, "TMPDIR": str(self.root), "XDG_CACHE_HOME": str(self.root / ".cache"), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Outcome:
        """Run pyinfra with these arguments in the copy to its end."""
        process = self.start(*words, env=env)
        try:
            text, _ = process.communicate(timeout=300)
        finally:
            process.kill()
        return Outcome(process.returncode, text)

    def deploy(self, *words: str, env: Mapping[str, str] | None = None) -> Outcome:
        """Run the deploy command of the README with -v, which prints every host that is connected to."""
        return self.run("inventory", "deploys/full.py", "-y", "-v", *words, env=env)


def _groups(inventory: Path, root: Path, port: int) -> dict[str, list[Any]]:
    """The groups of an inventory, with every host at this process's server."""
    groups = {name: value for name, value in runpy.run_path(str(inventory)).items() if isinstance(value, list)}
    for members in groups.values():
        for member in members:
            if isinstance(member, tuple):
                member[1].update(ssh_hostname="127.0.0.1", ssh_port=port, ssh_key=str(root / ".lab/id_ecdsa"))
    return groups


def write_secrets(project: Project, values: Any, key: pyrage.x25519.Identity | None = None) -> None:
    """Encrypt the lab's secrets with a key, which is stored next to them unless it is given."""
    mine = pyrage.x25519.Identity.generate()
    (project.root / ".lab/age.key").write_text(f"{mine}\n")
    sealed = pyrage.encrypt(json.dumps(values).encode(), [(key or mine).to_public()])
    (project.root / ".lab/secrets.age").write_bytes(sealed)


def refused(project: Project, outcome: Outcome, *said: str, asked: bool = False) -> None:
    """Fail unless the run was refused. With `asked` it may have connected, but never sent a command."""
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text, outcome.text
    for words in said:
        assert words in outcome.text, outcome.text
    assert NOTHING in outcome.text, outcome.text
    assert project.hosts.commands == []
    assert asked or project.hosts.connections == 0

"""A copy of the project to spoil, and hosts that log in and write down what they are asked to do.

Every run is the real command line in a process of its own. Its hosts are one SSH server in this process:
whatever a refused run would have done on any host stands in `Hosts.commands`, and that it did not even
connect in `Hosts.connections`.
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
    """All hosts of an environment as one SSH server. It carries nothing out."""

    def __init__(self) -> None:
        self.connections = 0
        self.commands: list[bytes] = []
        self.free = threading.Event()  # a command is refused at once, unless this is cleared
        self.free.set()
        self.silent = False  # whether connections are taken and nothing is said on them
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
    """What a run of the command line came to; `text` is all that it said."""

    status: int
    text: str


class Project:
    """A copy of the project whose hosts are `hosts`; its environment is the lab's."""

    def __init__(self, root: Path, hosts: Hosts) -> None:
        self.root, self.hosts = root, hosts
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, root / part)
        (root / ".lab").mkdir()
        hosts.user_key.write_private_key_file(str(root / ".lab/id_ecdsa"))
        self.know(hosts.key)
        self.groups = _groups(ROOT / "inventory/lab.py", root, hosts.port)
        self.write_inventory()

    def know(self, key: paramiko.PKey) -> None:
        """Let this be the host key that is known of every host."""
        line = f"[127.0.0.1]:{self.hosts.port} {key.get_name()} {key.get_base64()}\n"
        (self.root / ".lab/known_hosts").write_text(line)

    def host(self, name: str) -> dict[str, Any]:
        """The data of a host in the inventory, to be changed; `write_inventory` puts it there."""
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
        """Replace what stands once in a file; the number of its line. Fails when it is not there once."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def append(self, path: str, text: str) -> int:
        """Write at the end of a file; the number of the first line written."""
        file = self.root / path
        before = file.read_text() if file.exists() else ""
        file.write_text(before + text)
        return before.count("\n") + 1

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start pyinfra with these words in the copy; no terminal, and locks and a memory of its own."""
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
        """Run pyinfra with these words in the copy to its end."""
        process = self.start(*words, env=env)
        try:
            text, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        return Outcome(process.returncode, text)

    def deploy(self, *words: str, env: Mapping[str, str] | None = None) -> Outcome:
        """Run the command that the README names."""
        return self.run("inventory", "deploys/full.py", "-y", *words, env=env)


def _groups(inventory: Path, root: Path, port: int) -> dict[str, list[Any]]:
    """The groups of an inventory, with every host at our own server."""
    groups = {name: value for name, value in runpy.run_path(str(inventory)).items() if isinstance(value, list)}
    for members in groups.values():
        for member in members:
            if isinstance(member, tuple):
                member[1].update(ssh_hostname="127.0.0.1", ssh_port=port, ssh_key=str(root / ".lab/id_ecdsa"))
    return groups


def write_secrets(project: Project, values: Any, key: pyrage.x25519.Identity | None = None) -> None:
    """Seal the lab's secrets with a key, which is kept beside them unless it is given."""
    mine = pyrage.x25519.Identity.generate()
    (project.root / ".lab/age.key").write_text(f"{mine}\n")
    sealed = pyrage.encrypt(json.dumps(values).encode(), [(key or mine).to_public()])
    (project.root / ".lab/secrets.age").write_bytes(sealed)


def refused(project: Project, outcome: Outcome, *said: str, asked: bool = False) -> None:
    """`asked`: connections may have been made; commands never."""
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text, outcome.text
    for words in said:
        assert words in outcome.text, outcome.text
    assert NOTHING in outcome.text, outcome.text
    assert project.hosts.commands == []
    assert asked or project.hosts.connections == 0

"""A project without environments, and hosts without anything: SSH servers that answer as a shell would."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import paramiko
import paramiko.common
import pytest

from nexus import project
from tests.ssh_server import SshServer

ROOT = Path(__file__).parents[2]
PARTS = ("templates", "roles", "runbooks", "nexus", "deploys", "config.py", "group_data/catalogue", "group_data/all.py")
GIB = 1024**3
FREE = "/dev/vda1 41943040 2097152 {free} 5% /var"
BARE = {
    "system": 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"',
    "machine": "x86_64\n128\n{name}\nsystemd\n{id}",
    "memory": f"MemTotal: {512 * 1024**2} kB",
    "python": "3.13",
    "clock": "{now}",
    "disk": f"Filesystem 1024-blocks Used Available Capacity Mounted on\n{FREE.format(free=30 * 1024**2)}",
    "inodes": f"Filesystem Inodes IUsed IFree IUse% Mounted on\n{FREE.format(free=2_000_000)}",
    "mtu": "lo 65536\nens3 1500",
    "routes": "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
    "ens3 00000000 0100000A 0003 0 0 0 00000000\nens3 0000000A 00000000 0001 0 0 0 00FFFFFF",
    "addresses": "2: ens3    inet 10.0.0.1/24 brd 10.0.0.255 scope global ens3\n    inet 127.0.0.1/8",
    "modules": "overlay yes\nbridge yes\nvxlan unknown",
    "tcp": "sl local_address rem_address st\n0: 00000000:0016 00000000:0000 0A",
}


@pytest.fixture(name="place")
def place_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without environments, whose operator has no ssh configuration."""
    for part in PARTS:
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / "inventory").mkdir()
    monkeypatch.setattr(project, "_root", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


class Bare(SshServer):
    """A host. `sudo` is "free", "password", "refused" or what sudo says; `said` replaces sections of its answer."""

    def __init__(self, key: paramiko.PKey, name: str) -> None:
        self.name, self.sudo, self.secret = name, "free", "hunter2 'x' $y"
        self.said: dict[str, str] = {}
        self.commands: list[str] = []
        self.sent: list[bytes] = []
        super().__init__(key)

    def answer(self) -> str:
        """What its shell prints for the script of a first contact."""
        known = {"name": self.name, "id": f"id-of-{self.name}", "now": f"{time.time():.3f}"}
        sections: Mapping[str, str] = {**BARE, **self.said}
        return "".join(f"\n== {name}\n{text.format(**known)}\n" for name, text in sections.items())

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._carry_out, args=(channel, command.decode()), daemon=True).start()
        return True

    def _carry_out(self, channel: paramiko.Channel, command: str) -> None:
        self.commands.append(command)
        given = self._standard_input(channel)  # its end comes only after the client knows that the command started
        status, said, errors = self._result(command, given)
        channel.sendall(said.encode())
        channel.sendall_stderr(errors.encode())
        channel.send_exit_status(status)
        channel.close()

    def _result(self, command: str, given: bytes) -> tuple[int, str, str]:
        words = command.removeprefix("LC_ALL=C ")
        if self.sudo not in ("free", "password", "refused"):
            return 1, "", self.sudo
        if words == "sudo -k -n true":
            return (0, "", "") if self.sudo == "free" else (1, "", "sudo: a password is required\n")
        if words.startswith("sudo -k -S -p '' "):
            if given.decode().rstrip("\n") != self.secret:
                return 1, "", "Sorry, try again.\nsudo: no password was provided\n"
            if self.sudo == "refused":
                return 1, "", "ops is not in the sudoers file.\n"
        elif self.sudo != "free":
            return 1, "", "sudo: a password is required\n"
        return 0, self.answer() if "sh -c" in words else "", ""

    def _standard_input(self, channel: paramiko.Channel) -> bytes:
        with channel.makefile("rb") as stream:
            given: bytes = stream.read()
        if given:
            self.sent.append(given)
        return given


@pytest.fixture(name="bare")
def bare_(tmp_path: Path) -> Iterator[Bare]:
    """A host that could be deployed to, and its key in the operator's hands as `key`."""
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(tmp_path / "key"))
    found = Bare(key, "box1")
    yield found
    found.close()

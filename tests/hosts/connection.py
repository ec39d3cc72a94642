"""Testinfra's paramiko connection to one host, with the inventory's own connection data.

Unlike testinfra's own it refuses unknown host keys, turns Nagle's algorithm off, has one shell of root for all
commands, and takes standard input: long lists and credentials go there, never into an argument.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable
from functools import cached_property

import paramiko
from testinfra.backend.paramiko import ParamikoBackend
from testinfra.host import Host as Machine

from nexus.environment.environment import Host
from nexus.transport import login, sudo

CONNECT_SECONDS = 10
ANSWER_SECONDS = 90
END = uuid.uuid4().hex.encode()  # after what a command says, and in no command's own words


class Connection(ParamikoBackend):
    """One host as its inventory entry says it is reached."""

    def __init__(self, host: Host) -> None:
        data = dict(host.setting)
        self.data = data
        self.address = str(data.get("ssh_hostname") or host.address)
        self.user = login.way_of(data, self.address).user or "root"
        self._said: dict[bytes, tuple[int, bytes, bytes]] = {}
        super().__init__(f"{self.user}@{self.address}")

    @cached_property
    def client(self) -> paramiko.SSHClient:
        """The open connection; an unknown host key is an error."""
        return login.connect({**self.data, "ssh_user": self.user}, self.address, CONNECT_SECONDS)

    def feed(self, command: str, text: str) -> str:
        """Output of a command run as root with this standard input; RuntimeError when it fails."""
        channel = self._as_root(command)
        channel.sendall(text.encode())
        channel.shutdown_write()
        with channel.makefile("rb") as stream:
            output = stream.read().decode(errors="replace")
        with channel.makefile_stderr("rb") as stream:
            errors = stream.read().decode(errors="replace")
        if status := channel.recv_exit_status():
            raise RuntimeError(f"{command.split()[0]} ended with {status}: {errors.strip()[-800:]}")
        return output

    def tunnel(self, address: str, port: int) -> paramiko.Channel:
        """A channel to this address and port as seen from the host."""
        return self._transport().open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=5)

    def close(self) -> None:
        """Close the connection if it was ever opened."""
        if "client" in self.__dict__:
            self.client.close()

    def _exec_command(self, command: bytes) -> tuple[int, bytes, bytes]:
        """Status, output and errors of a command of root, as it was first asked: all checks see the same host."""
        if command not in self._said:
            self._said[command] = self._ask_shell(command)
        return self._said[command]

    def _ask_shell(self, command: bytes) -> tuple[int, bytes, bytes]:
        """A session with sudo for each command would take ten times as long."""
        quoted = shlex.quote(command.decode()).encode()
        try:
            self._shell.sendall(b"sh -c %b </dev/null; printf '\\0%%d%b' $?; printf %b >&2\n" % (quoted, END, END))
            output, _, status = _until_end(self._shell.recv).rpartition(b"\0")
            return int(status), output, _until_end(self._shell.recv_stderr)
        except Exception:
            self.__dict__.pop("_shell", None)  # what it still says belongs to this command
            raise

    @cached_property
    def _shell(self) -> paramiko.Channel:
        return self._as_root("sh")

    def _as_root(self, command: str) -> paramiko.Channel:
        secret = sudo.password() if self.data.get(sudo.SETTING) else ""
        channel = sudo.as_root(self._transport(), self.user, command, secret)
        channel.settimeout(ANSWER_SECONDS)
        return channel

    def _transport(self) -> paramiko.Transport:
        transport = self.client.get_transport()
        if transport is None:
            raise RuntimeError(f"the connection to {self.address} is closed")
        return transport


def machine(connection: Connection) -> Machine:
    """The host as testinfra's modules see it: `machine(c).service("nginx").is_running`."""
    return Machine(connection)


def _until_end(receive: Callable[[int], bytes]) -> bytes:
    said = b""
    while not said.endswith(END):
        if not (more := receive(65536)):
            raise RuntimeError(f"the shell ended: {said[-800:].decode(errors='replace')}")
        said += more
    return said.removesuffix(END)

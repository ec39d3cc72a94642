"""Testinfra's paramiko connection to one host, with the inventory's own connection data.

Unlike testinfra's own it refuses unknown host keys, turns Nagle's algorithm off, has one shell of root for all
commands, and takes standard input: long lists and credentials go there, never into an argument.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import paramiko
from pyinfra.connectors.ssh_util import load_key_with_certificate
from testinfra.backend.paramiko import ParamikoBackend
from testinfra.host import Host as Machine

from nexus import project
from nexus.environment.environment import Host
from nexus.transport.keepalive import keepalive_transport
from nexus.transport.ssh_client import Client
from nexus.transport.ssh_config import NONE, target

CONNECT_SECONDS = 10
ANSWER_SECONDS = 90
END = uuid.uuid4().hex.encode()  # after what a command says, and in no command's own words


class Connection(ParamikoBackend):
    """One host as its inventory entry says it is reached."""

    def __init__(self, host: Host) -> None:
        data = dict(host.setting)
        self.data = data
        self.address = str(data.get("ssh_hostname") or host.address)
        self.port = int(data.get("ssh_port") or 0)
        file = data.get("ssh_config_file")
        self.config = file if file in (None, NONE) else str(_path(file))
        self.user = str(data.get("ssh_user") or target(self.address, self.config, port=self.port).user or "root")
        self._said: dict[bytes, tuple[int, bytes, bytes]] = {}
        super().__init__(f"{self.user}@{self.address}")

    @cached_property
    def client(self) -> paramiko.SSHClient:
        """The open connection; an unknown host key is an error."""
        client = Client()
        known, key = self.data.get("ssh_known_hosts_file"), self.data.get("ssh_key")
        client.connect(
            self.address,
            _pyinfra_ssh_config_file=self.config,
            _pyinfra_ssh_known_hosts_file=str(_path(known)) if known else None,
            _pyinfra_ssh_strict_host_key_checking="yes",
            port=self.port,
            username=self.user,
            password=self.data.get("ssh_password"),
            **({"pkey": load_key_with_certificate(str(_path(key)), self.data.get("ssh_key_password"))} if key else {}),
            allow_agent=bool(self.data.get("ssh_allow_agent", True)),
            look_for_keys=bool(self.data.get("ssh_look_for_keys", True)),
            timeout=CONNECT_SECONDS,
            banner_timeout=CONNECT_SECONDS,
            auth_timeout=CONNECT_SECONDS,
            transport_factory=keepalive_transport,
        )
        return client

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
        channel = self._transport().open_session(timeout=CONNECT_SECONDS)
        channel.settimeout(ANSWER_SECONDS)
        channel.exec_command(f"sudo -n {command}" if self.user != "root" else command)
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


def _path(text: Any) -> Path:
    return project.root() / Path(str(text)).expanduser()

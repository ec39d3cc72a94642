"""A jump host for tests: a real SSH server that forwards connections, and can fall silent."""

from __future__ import annotations

import itertools
import socket
import threading
from contextlib import suppress
from pathlib import Path

import paramiko
import paramiko.common

from tests.ssh_server import SshServer


class Bastion(SshServer):
    """An SSH server without a shell."""

    def __init__(self, key: paramiko.PKey) -> None:
        self.asked: list[tuple[str, int]] = []  # targets of connections
        self.users: list[str] = []
        super().__init__(key)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.users.append(username)
        return super().check_auth_publickey(username, key)

    def check_channel_direct_tcpip_request(self, chanid: int, origin: tuple[str, int], place: tuple[str, int]) -> int:
        self.asked.append(place)
        try:
            far = socket.create_connection(place, timeout=5)
        except OSError:
            return paramiko.common.OPEN_FAILED_CONNECT_FAILED
        threading.Thread(target=self._carry, args=(chanid, far), daemon=True).start()
        return paramiko.common.OPEN_SUCCEEDED

    def _carry(self, number: int, far: socket.socket) -> None:
        """Any channel will do: all requested channels lead to the same target."""
        accepted = (transport.accept(0.01) for transport in itertools.cycle(self._transports))
        channel = next(found for found in accepted if found is not None)
        far.settimeout(None)
        for read, write in ((channel.recv, far.sendall), (far.recv, channel.sendall)):
            threading.Thread(target=self._pump, args=(read, write, channel, far), daemon=True).start()

    def _pump(self, read, write, channel, far) -> None:
        try:
            while data := read(65536):
                write(data)
        except OSError:
            pass
        finally:
            far.close()
            with suppress(EOFError):  # the connection may be gone
                channel.close()


def configuration(path: Path, *, key: Path, known: Path, text: str) -> Path:
    """An ssh configuration whose jump hosts accept this key; `text` comes first."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{text}\nHost *\n  IdentityFile "{key}"\n  IdentitiesOnly yes\n  UserKnownHostsFile "{known}"\n')
    return path

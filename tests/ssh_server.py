"""An SSH server in this process on a free port of 127.0.0.1; tests define what it does with commands."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko
import paramiko.common


class SshServer(paramiko.ServerInterface):
    """Accepts the user's key, under any user name."""

    def __init__(self, user_key: paramiko.PKey) -> None:
        self.key, self.user_key = paramiko.ECDSAKey.generate(), user_key
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # closed: the test is over
                return
            self.take(client)

    def take(self, client: socket.socket) -> None:
        """Serve SSH on a new connection."""
        transport = paramiko.Transport(client)
        transport.add_server_key(self.key)
        self._transports.append(transport)
        transport.start_server(event=threading.Event(), server=self)

    def close(self) -> None:
        """End all sessions."""
        # Otherwise its thread would accept for the next server, whose socket may get the same number.
        with suppress(OSError):  # it may be closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self._socket.close()
        for transport in self._transports:
            transport.close()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.common.AUTH_SUCCESSFUL if key == self.user_key else paramiko.common.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

"""Connections that fail name their place."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from paramiko import SSHException

from nexus.transport.ssh_client import Client


def test_a_server_that_ends_the_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        port = listener.getsockname()[1]
        pool.submit(_end_the_next_connection, listener)
        with pytest.raises(SSHException, match=f"no connection to 127.0.0.1 port {port}: it was closed before"):
            Client().connect("127.0.0.1", port=port, username="nobody", timeout=20)


def _end_the_next_connection(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.sendall(b"SSH-2.0-OpenSSH_10.0\r\n")
    connection.close()

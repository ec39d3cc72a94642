"""Notices within half a minute that a host, or a jump host on the way to it, has died in the middle of a step."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import paramiko

# A host whose kernel has said nothing for half a minute is gone: asked after 10 s, then every 5 s, four times.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
ASK_SECONDS, ANSWER_SECONDS = (5.0, 25.0)  # the same where another process or a jump host carries the connection
REQUEST = "keepalive@openssh.com"


def keepalive_transport(sock: Any, **kwargs: Any) -> paramiko.Transport:
    """Paramiko's transport, on a socket without Nagle's algorithm: 48 ms a command become 4.

    A host that died says nothing any more, and a kernel by itself would wait for two hours. What is no TCP socket of
    this process tells nothing of the host behind it: that is asked by SSH itself.
    """
    transport = paramiko.Transport(sock, **kwargs)
    if getattr(sock, "family", None) in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in SILENCE.items():
            if option := getattr(socket, name, None):  # not every system has all of them
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
    else:
        threading.Thread(target=_watch, args=(transport,), daemon=True).start()
    return transport


def _watch(transport: paramiko.Transport) -> None:
    """Close a connection whose other end gives no answer; any answer will do, a refusal is one."""
    time.sleep(ASK_SECONDS)
    while transport.is_active():
        if transport.is_authenticated():
            asking = threading.Thread(target=transport.global_request, args=(REQUEST,), daemon=True)
            asking.start()
            asking.join(ANSWER_SECONDS)
            if asking.is_alive():
                transport.close()
        time.sleep(ASK_SECONDS)

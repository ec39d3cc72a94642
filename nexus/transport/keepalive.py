"""Detects within half a minute that a host, or a jump host on the way to it, has died in the middle of a step."""

import socket
import threading
import time
from typing import Any

import paramiko

# A host whose kernel does not answer for half a minute is gone: asked after 10 s, then every 5 s, four times.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
ASK_SECONDS, ANSWER_SECONDS = (5.0, 25.0)  # the same for a connection that another process or a jump host carries
REQUEST = "keepalive@openssh.com"


def keepalive_transport(sock: Any, **kwargs: Any) -> paramiko.Transport:
    """Paramiko's transport, on a socket without Nagle's algorithm: a command takes 4 ms instead of 48.

    A dead host no longer answers, and by default the kernel would wait for two hours. If the socket is not a TCP socket
    of this process, it reveals nothing about the host behind it: then SSH itself asks the host.
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
    """Close a connection whose other end does not answer; any answer will do, even a refusal."""
    time.sleep(ASK_SECONDS)
    while transport.is_active():
        if transport.is_authenticated():
            asking = threading.Thread(target=transport.global_request, args=(REQUEST,), daemon=True)
            asking.start()
            asking.join(ANSWER_SECONDS)
            if asking.is_alive():
                transport.close()
        time.sleep(ASK_SECONDS)

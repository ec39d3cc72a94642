"""The hosts from the benchmark's hosts.json; NEXUS_BENCH_NODELAY switches Nagle's algorithm off."""

import json as _json
import os as _os
import socket as _socket
from pathlib import Path as _Path


def _no_delay(sock, **kwargs):
    import paramiko

    sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
    return paramiko.Transport(sock, **kwargs)


_extra = {}
if _os.environ.get("NEXUS_BENCH_NODELAY"):
    _extra["ssh_paramiko_connect_kwargs"] = {"transport_factory": _no_delay}

_hosts = _json.loads(_Path(_os.environ["NEXUS_BENCH_WORK"], "hosts.json").read_text())

node = [(_host["name"], {**_host["data"], **_extra}) for _host in _hosts]

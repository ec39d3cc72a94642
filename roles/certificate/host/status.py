"""Runs on a host: which certificates its daemons show, when these end, and until when others are prepared."""

import hashlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nexus.agent.lib import RemoteError, digest, run
from nexus.agent.tls import mutual
from roles.certificate.host.stock import due, read, until

SECONDS = 3
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # SSLRequest of PostgreSQL's protocol

Item = Mapping[str, Any]
Answer = dict[str, Any]


def certificates(context: Item) -> Answer:
    """{"files": {path: when it ends}, "shown": {door: when it ends, or why that is not known}, "prepared": ...}."""
    files = {path: _end(path) for path in context["paths"] if os.path.exists(path)}
    return {"files": files, "shown": shown(context["doors"]), "prepared": prepared(time.time())}


def prepared(now: float) -> Answer:
    """{"until": when the last prepared leaf ends, "late": for how many seconds a renewal has been due}."""
    try:
        stock = read()
    except RemoteError as error:
        return {"error": str(error)}
    late = 0.0
    for pair in stock["pairs"]:
        leaf = due(pair["leaves"], now)
        if leaf and digest(pair["certificate"]) != hashlib.sha256(leaf["certificate"].encode()).hexdigest():
            late = max(late, now - leaf["begins"])
    return {"until": until(stock), "late": late}


def shown(doors: list[Item]) -> dict[str, float | str]:
    """{name: when the certificate that a daemon shows ends, in seconds since 1970, or why it is not accepted}."""
    with ThreadPoolExecutor(len(doors) or 1) as workers:
        ends = dict(zip((door["name"] for door in doors), workers.map(_shown, doors), strict=True))
    return dict(sorted(ends.items()))


def _shown(door: Item) -> float | str:
    try:
        return _asked(door)
    except OSError as error:
        return str(getattr(error, "verify_message", "") or error)


def _asked(door: Item) -> float:
    context = mutual(door["ca"], door["leaf"], door["key"])  # nodes of etcd and RabbitMQ require one
    with socket.create_connection((door["address"], door["port"]), timeout=SECONDS) as raw:
        if door["asks first"]:
            raw.sendall(ASK_FOR_TLS)
            raw.recv(1)
        with context.wrap_socket(raw, server_hostname=door["address"]) as session:
            return float(ssl.cert_time_to_seconds(str((session.getpeercert() or {})["notAfter"])))


def _end(path: str) -> int:
    told = run(["openssl", "x509", "-noout", "-enddate", "-in", path])
    return ssl.cert_time_to_seconds(told.strip().removeprefix("notAfter="))


PARTS = {"certificates": certificates}

"""Runs on a host: what certificates its daemons show, when those end, and until when others are prepared."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from threading import Thread
from typing import Any

from roles.certificate.stock import due, read, until
from roles.kit.agent.base import RemoteError, digest, run

SECONDS = 3
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # SSLRequest of PostgreSQL's protocol

Item = Mapping[str, Any]
Answer = dict[str, Any]


def certificates(context: Item) -> Answer:
    """{"files": {path: when it ends}, "shown": {door: when it ends, or why that is not known}, "prepared": ...}."""
    files = {path: _end(path) for path in context["paths"] if os.path.exists(path)}
    return {"files": files, "shown": shown(context["doors"]), "prepared": prepared(time.time())}


def prepared(now: float) -> Answer:
    """{"until": when the last prepared leaf ends, "late": for how many seconds another one is due than is there}."""
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
    """{name: seconds since 1970 at which the certificate ends that a daemon shows, or why it is not accepted}."""
    found: dict[str, float | str] = {}

    def ask(door: Item) -> None:
        try:
            found[door["name"]] = _shown(door)
        except OSError as error:
            found[door["name"]] = str(getattr(error, "verify_message", "") or error)

    workers = [Thread(target=ask, args=(door,)) for door in doors]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return dict(sorted(found.items()))


def _shown(door: Item) -> float:
    context = ssl.create_default_context(cafile=door["ca"])
    context.load_cert_chain(door["leaf"], door["key"])  # nodes of etcd and RabbitMQ want to see one, too
    with socket.create_connection((door["address"], door["port"]), timeout=SECONDS) as raw:
        if door["asks first"]:
            raw.sendall(ASK_FOR_TLS)
            raw.recv(1)
        with context.wrap_socket(raw, server_hostname=door["address"]) as session:
            return float(ssl.cert_time_to_seconds(str((session.getpeercert() or {})["notAfter"])))


def _end(path: str) -> int:
    told = run(["openssl", "x509", "-noout", "-enddate", "-in", path])
    return ssl.cert_time_to_seconds(told.strip().removeprefix("notAfter="))

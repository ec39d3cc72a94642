"""Runs on an edge host: checks through Nginx or the router whether services do their work."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from threading import Thread
from typing import Any

from nexus.agent import http
from roles.functional.host.check import Ask, failure

Answers = dict[str, dict[str, str]]


def probe(names: list[str], context: Mapping[str, Any]) -> Answers:
    """{"SERVICE": {name of a check: why it failed, or ""}}; services in parallel, the checks of one in order.

    In `context`, `services` maps a service to its checks, each with name, at, headers and requests; `places` says
    where to send requests, {"edge": {address, port, name, ca}, "router": {address, port}}; then `mark`, `seconds`.
    """
    services = context["services"]
    found: Answers = {name: {} for name in services}
    workers = [Thread(target=_checks, args=(found[name], services[name], context)) for name in services]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


def _checks(found: dict[str, str], checks: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> None:
    for check in checks:
        ask = client(context["places"][check["at"]], check["headers"], context["seconds"])
        found[check["name"]] = failure(check["requests"], context["mark"], ask)


def client(place: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Ask:
    """A client that sends each request to a place on its own connection; an untrusted certificate is an OSError."""

    def ask(method: str, path: str, body: bytes | None) -> tuple[int, str]:
        sock = socket.create_connection((place["address"], place["port"]), seconds)
        if name := place.get("name"):
            sock = ssl.create_default_context(cafile=place["ca"] or None).wrap_socket(sock, server_hostname=name)
        connection = HTTPConnection(name or place["address"])
        connection.sock = sock
        sent = {**headers, **({"Content-Type": "application/json"} if body else {})}
        answer = http.ask(connection, method, path, sent, body, most=100_000)
        return answer.status, answer.body.decode(errors="replace")

    return ask

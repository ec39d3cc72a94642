"""Runs on an ops host: questions to its Alertmanager, over mutual TLS."""

import json
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.lib import RemoteError
from nexus.agent.tls import mutual

SECONDS = 5


def ask(context: Mapping[str, Any], method: str, path: str, body: Any = None) -> Any:
    """The JSON that Alertmanager answers; RemoteError with its words if it refuses.

    `context` has "address", "port" and the files "ca", "certificate" and "key".
    """
    trust = mutual(context["ca"], context["certificate"], context["key"])
    connection = HTTPSConnection(context["address"], int(context["port"]), timeout=SECONDS, context=trust)
    content = None if body is None else json.dumps(body).encode()
    try:
        answer = http.ask(connection, method, f"/api/v2/{path}", {"Content-Type": "application/json"}, content)
    except OSError as error:
        raise RemoteError(f"Alertmanager does not answer: {error}") from None
    if answer.status != 200:
        raise RemoteError(f"Alertmanager answers {answer.status} {answer.reason}: {answer.body[:200]!r}")
    return json.loads(answer.body) if answer.body else None

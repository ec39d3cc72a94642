"""Runs on an ops host: asks its Prometheus. Changes nothing."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nexus.agent import http
from nexus.agent.lib import RemoteError

SECONDS = 10


def ask(port: int, path: str, **values: str) -> Any:
    """The data of an answer of Prometheus's API; RemoteError if it does not answer, or refuses with its words."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    try:
        answer = http.get(port, f"/api/v1/{path}?{query}", SECONDS)
    except OSError as error:
        raise RemoteError(f"Prometheus does not answer: {error}; `systemctl status prometheus` there") from None
    try:
        told: Mapping[str, Any] = json.loads(answer.body)
    except ValueError:
        raise RemoteError(f"Prometheus answers {answer.status} {answer.reason}") from None
    if told.get("status") != "success":
        raise RemoteError(f"Prometheus answers {answer.status}: {told.get('error', 'without a reason')}")
    return told["data"]


def vector(port: int, expression: str) -> list[tuple[dict[str, str], float]]:
    """(labels, value) of every series that an expression has now."""
    return [(one["metric"], float(one["value"][1])) for one in ask(port, "query", query=expression)["result"]]

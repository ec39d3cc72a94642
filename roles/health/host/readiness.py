"""Runs on an edge host: asks the router for the readiness of each service. Changes nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nexus.agent import http

WORKERS = 8
SECONDS = 10
BYTES = 20_000


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"service NAME": {"ready": bool, "why": text}} for every service, a few at a time."""
    probes = context["probes"]
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = pool.map(lambda name: ready(context["port"], name, probes[name]), probes)
        return {f"service {name}": answer for name, answer in zip(probes, answers, strict=True)}


def ready(port: int, service: str, path: str) -> dict[str, Any]:
    headers = {"X-Nexus-Service": service, "Host": service}
    try:
        answer = http.get(port, path, SECONDS, headers, most=BYTES)
    except OSError as error:
        return {"ready": False, "why": f"the router does not answer: {type(error).__name__} {error}"}
    good = answer.status == 200
    return {"ready": good, "why": "" if good else reason(answer)}


def reason(answer: http.Answer) -> str:
    """The status and the reasons of the answer: its list of reasons, or the state of each failed check."""
    try:
        found = json.loads(answer.body)
        missing = found.get("reasons") or [
            f"{name} {why}" for name, why in found.get("checks", {}).items() if why not in ("ok", "absent")
        ]
        text = ", ".join(missing) or found.get("error", {}).get("message", "")
    except (ValueError, AttributeError, TypeError):
        text = ""
    return f"{answer.status} {answer.reason}" + (f": {text}" if text else "")

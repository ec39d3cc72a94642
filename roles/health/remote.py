"""Runs on an edge host: asks the router for the readiness of each service. Changes nothing."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

from roles.kit.agent import web

WORKERS = 8
SECONDS = 10
BYTES = 20_000
NOT_ASKED = {"ready": False, "why": "could not be asked"}


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"service NAME": {"ready": bool, "why": text}} for every service, a few at a time."""
    waiting, found = iter(context["probes"].items()), {}

    def work() -> None:
        for name, path in waiting:  # shared: whoever is free takes the next
            found[f"service {name}"] = ready(context["port"], name, path)

    workers = [Thread(target=work) for _ in range(WORKERS)]  # concurrent.futures takes longer to import
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {f"service {name}": found.get(f"service {name}", NOT_ASKED) for name in context["probes"]}


def ready(port: int, service: str, path: str) -> dict[str, Any]:
    headers = {"X-Nexus-Service": service, "Host": service}
    try:
        with web.connect("127.0.0.1", port, SECONDS) as connection:
            answer = web.ask(connection, "GET", path, headers, most=BYTES)
    except OSError as error:
        return {"ready": False, "why": f"the router does not answer: {type(error).__name__} {error}"}
    good = answer.status == 200
    return {"ready": good, "why": "" if good else reason(answer)}


def reason(answer: web.Answer) -> str:
    """The status, and what the answer says is missing."""
    try:
        found = json.loads(answer.body)
        missing = [
            f"{name} {why}" for name, why in found.get("checks", {}).items() if why not in ("ok", "absent")
        ]
        text = ", ".join(missing) or found.get("error", {}).get("message", "")
    except (ValueError, AttributeError, TypeError):
        text = ""
    return f"{answer.status} {answer.reason}" + (f": {text}" if text else "")

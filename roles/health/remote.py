"""Runs on an edge host: asks the router for the readiness of each service. Changes nothing."""

from __future__ import annotations

import http.client
import json
from threading import Thread
from typing import Any

WORKERS = 8
SECONDS = 10
BYTES = 20_000
NOT_ASKED = {"ready": False, "why": "could not be asked"}


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"service NAME": {"ready": bool, "why": text}} for every service, over a few lasting connections."""
    waiting, found = iter(context["probes"].items()), {}

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", context["port"], timeout=SECONDS)
        for name, path in waiting:  # shared: whoever is free takes the next
            found[f"service {name}"] = ready(connection, name, path)
        connection.close()

    workers = [Thread(target=work) for _ in range(WORKERS)]  # concurrent.futures takes longer to import
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {f"service {name}": found.get(f"service {name}", NOT_ASKED) for name in context["probes"]}


def ready(connection: http.client.HTTPConnection, service: str, path: str) -> dict[str, Any]:
    lasted = connection.sock is not None  # and may have been closed meanwhile: then once more on a new one
    try:
        connection.request("GET", path, headers={"X-Nexus-Service": service, "Host": service})
        response = connection.getresponse()
        body = response.read(BYTES)
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        if lasted:
            return ready(connection, service, path)
        return {"ready": False, "why": f"the router does not answer: {type(error).__name__} {error}"}
    if not response.isclosed():
        connection.close()  # a longer answer than anybody reads: the connection is of no use any more
    good = response.status == 200
    return {"ready": good, "why": "" if good else reason(response, body)}


def reason(response: http.client.HTTPResponse, body: bytes) -> str:
    """The status, and what the answer says is missing."""
    try:
        found = json.loads(body)
        missing = [
            f"{name} {why}" for name, why in found.get("checks", {}).items() if why not in ("ok", "absent")
        ]
        text = ", ".join(missing) or found.get("error", {}).get("message", "")
    except (ValueError, AttributeError, TypeError):
        text = ""
    return f"{response.status} {response.reason}" + (f": {text}" if text else "")

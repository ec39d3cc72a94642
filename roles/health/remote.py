"""Runs on an edge host: asks the router for the readiness of each service. Changes nothing."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"service NAME": {"ready": bool, "why": text}} for every service."""
    with ThreadPoolExecutor(8) as pool:
        asked = [
            (name, pool.submit(ready, context["port"], name, path))
            for name, path in context["probes"].items()
        ]
        return {f"service {name}": answer.result() for name, answer in asked}


def ready(port: int, service: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"X-Nexus-Service": service, "Host": service})
        response = connection.getresponse()
        body = response.read(20_000)
        return {
            "ready": response.status == 200,
            "why": "" if response.status == 200 else reason(response, body),
        }
    except OSError as error:
        return {"ready": False, "why": f"the router does not answer: {error}"}
    except http.client.HTTPException as error:
        return {"ready": False, "why": f"no HTTP answer: {error}"}
    finally:
        connection.close()


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

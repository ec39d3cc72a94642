"""On an edge host: results of real requests to services, from the edge's access log, and of a few of our own.

It reads the log because the router's counters have no quantiles and restart with each reload. Standard library only;
changes nothing: our own requests are GET / at the router.
"""

import datetime
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from threading import Thread
from typing import Any

from nexus.agent import http

CHUNK = 1 << 20
LOG_BYTES = 256 << 20  # the most that is read of the log, from its end
AGENT = "nexus-release"
PAUSE_SECONDS = 0.1


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"NAME": {"requests", "errors", "milliseconds": {ms: count}}} of the last context["seconds"].

    A name may be that of a canary. With context["own"], this number of requests is sent to each service instead.
    """
    if "own" in context:
        return _own_of_all(names, context["own"], context["port"])
    found: dict[str, dict[str, Any]] = {name: {"requests": 0, "errors": 0, "milliseconds": Counter()} for name in names}
    oldest = time.time() - context["seconds"]
    for line in _backwards(context["log"]):
        if not line.startswith(b'{"timestamp"'):
            continue
        try:
            entry = json.loads(line)
            at = datetime.datetime.fromisoformat(entry["timestamp"]).timestamp()
        except (ValueError, KeyError):
            continue  # a line that is still being written
        if at < oldest:
            break
        name = entry.get("service", "") + ("-canary" if entry.get("variant") == "canary" else "")
        if name in found:
            _count(found[name], int(entry["statusCode"]), float(entry["duration"]))
    return found


def _count(found: dict[str, Any], status: int, seconds: float) -> None:
    found["requests"] += 1
    found["errors"] += status >= 500
    found["milliseconds"][str(round(seconds * 1000))] += 1


def _backwards(path: str) -> Iterator[bytes]:
    """The lines of a file, from its end."""
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return
    with stream:
        position = stream.seek(0, os.SEEK_END)
        least, rest = max(0, position - LOG_BYTES), b""
        while position > least:
            step = min(CHUNK, position - least)
            position -= step
            stream.seek(position)
            lines = (stream.read(step) + rest).split(b"\n")
            rest = lines[0]
            yield from reversed(lines[1:])
        yield rest


def _own_of_all(names: list[str], count: int, port: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def ask(name: str) -> None:
        found[name] = _own(name, count, port)

    workers = [Thread(target=ask, args=(name,)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


def _own(name: str, count: int, port: int) -> dict[str, Any]:
    found: dict[str, Any] = {"requests": 0, "errors": 0, "milliseconds": Counter(), "why": ""}
    for _ in range(count):
        started, status = time.monotonic(), 599
        headers = {"X-Nexus-Service": name, "Host": name, "User-Agent": AGENT}
        try:
            answer = http.get(port, "/", 10, headers, most=300)
            status = answer.status
            if status >= 500:
                found["why"] = f"{status}: {answer.body.decode(errors='replace').strip()}"
        except OSError as error:
            found["why"] = f"{type(error).__name__}: {error}"
        _count(found, status, time.monotonic() - started)
        time.sleep(PAUSE_SECONDS)
    return found

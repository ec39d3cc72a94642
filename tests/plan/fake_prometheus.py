"""A Prometheus that answers every query with series of its own making, on loopback."""

from __future__ import annotations

import json
import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

ALERT = {
    "labels": {"alertname": "DiskSpaceLow", "severity": "critical", "host": "data1"},
    "annotations": {"summary": "data1: 4 % of /<var> is free", "fix": "free space there"},
    "state": "firing",
    "activeAt": "2026-11-30T09:00:00.123456789Z",
    "value": "4e-02",
}
ALWAYS = {**ALERT, "labels": {"alertname": "Watchdog", "severity": "none"}}
TARGETS = [
    {"labels": {"job": "node", "host": "data1"}, "health": "up", "lastError": ""},
    {"labels": {"job": "node", "host": "data2"}, "health": "down", "lastError": "connection <refused>"},
]


class FakePrometheus:
    """`empty` and `refused` are parts of queries that have no series, or that are answered with an error."""

    def __init__(self, empty: str = "", refused: str = "", names: tuple[str, ...] = ("up",)) -> None:
        self.empty, self.refused, self.names = empty, refused, names
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> FakePrometheus:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, values: dict[str, str]) -> tuple[int, dict[str, Any]]:
        query = values.get("query", "")
        if query and self.refused and self.refused in query:
            return 422, {"status": "error", "errorType": "execution", "error": "found <duplicate> series"}
        return 200, {"status": "success", "data": self._data(path, query, values)}

    def _data(self, path: str, query: str, values: dict[str, str]) -> Any:
        if path == "alerts":
            return {"alerts": [ALERT, ALWAYS]}
        if path == "targets":
            return {"activeTargets": TARGETS}
        if path == "label/__name__/values":
            return list(self.names)
        if self.empty and self.empty in query:
            return {"result": []}
        if path == "query":
            return {
                "result": [{"metric": _labels(one), "value": [float(values["time"]), str(one + 0.5)]} for one in (1, 2)]
            }
        times = range(int(values["start"]), int(values["end"]) + 1, int(values["step"]))
        return {"result": [{"metric": _labels(one), "values": _wave(one, times)} for one in (1, 2)]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                path, values = parts.path.removeprefix("/api/v1/"), {k: v[0] for k, v in parse_qs(parts.query).items()}
                fake.asked.append((path, values))
                status, found = fake.answer(path, values)
                body = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _labels(number: int) -> dict[str, str]:
    names = ("host", "service", "job", "proxy", "node", "module", "datname", "kind", "master_name", "class", "server")
    return dict.fromkeys(names, f"<b>{number}") | {"__name__": "x"}


def _wave(number: int, times: range) -> list[list[Any]]:
    """The first series begins in the middle; the second one has a gap, which is not a number."""
    values = {at: 1.0 + number * math.sin(at / 900) ** 2 for at in times}
    begin = times[len(times) // 2] if number == 1 else times[0]
    return [
        [at, "NaN" if number == 2 and at == times[9] else str(value)] for at, value in values.items() if at >= begin
    ]

"""Readiness of every service, polled continuously during a change: a locked-out service shows here."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from control import REMOTE, Control

from roles.health.plan import probes

STOP = "/run/nexus-cos-scenario-stop"
PAUSE_SECONDS = 0.5
LONGEST_SECONDS = 1800


class Readiness:
    """Asks the router of the first edge host, each service in its own thread."""

    def __init__(self, control: Control) -> None:
        self.control, self.host = control, control.group("edge")[0]
        port = int(control.planned.setting.router_port)
        self.asked = {"port": port, "probes": probes(control.planned), "stop": STOP}
        self.asked |= {"pause": PAUSE_SECONDS, "seconds": LONGEST_SECONDS}
        self.found: dict[str, Any] = {}
        self.pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Readiness:
        self.control.ssh(self.host, f"sudo rm -f {STOP}")
        self.running: Future[str] = self.pool.submit(self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        self.control.ssh(self.host, f"sudo touch {STOP}")
        self.found = json.loads(self.running.result(timeout=60))
        self.control.ssh(self.host, f"sudo rm -f {STOP}")

    @property
    def failed(self) -> list[list[Any]]:
        """[seconds since the start, service, answer] of every answer other than ready."""
        return list(self.found["failed"])

    def _ask(self) -> str:
        code = (REMOTE / "readiness.py").read_text().replace('"ARGUMENT"', repr(json.dumps(self.asked)))
        return self.control.ssh(self.host, "sudo python3 -I -", code, LONGEST_SECONDS + 60)

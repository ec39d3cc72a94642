"""One phase of load on the edge hosts of an environment, by the generator in a process of its own."""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gevent import subprocess

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from roles.certificate.plan import shows_own
from roles.functional.plan import token
from runbooks.load_test.phase import Phase
from runbooks.load_test.result import Result

GENERATOR = ("-m", "gevent.monkey", str(Path(__file__).with_name("generator.py")))
SPARE_SECONDS = 60  # until a generator that does not end is killed
USER = "load-test"
PROBE = "first requests"


@dataclass(frozen=True)
class Load:
    """Where requests go: these edge hosts in turn, by the name that services are asked at."""

    env: Environment
    edges: Sequence[Host]

    @property
    def name(self) -> str:
        """The name in the requests."""
        return f"api.{self.env.setting.domain}"

    @property
    def path(self) -> str:
        """The path in the requests."""
        return str(self.env.setting.load_test_path)

    def check(self) -> None:
        """Send each edge host one request; OperatorError unless it answers 2xx."""
        for edge in self.edges:
            found = Load(self.env, [edge]).send(Phase(PROBE, 1, 1))
            if not found.good:
                raise OperatorError(
                    f"{edge.name} does not answer GET https://{self.name}{self.path}: {', '.join(found.why)}. "
                    "This machine must reach the edge host's address of the inventory, the service must be healthy, "
                    "and load_test_path must be a path that answers 2xx and changes nothing"
                )

    def send(self, phase: Phase) -> Result:
        """Send the requests of a phase and wait for all answers."""
        asked = self._asked(phase)
        limit = phase.seconds + 2 * asked["answer_seconds"] + SPARE_SECONDS
        process = subprocess.Popen(
            [sys.executable, *GENERATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            text, complaint = process.communicate(json.dumps(asked).encode(), timeout=limit)
        except subprocess.TimeoutExpired:
            raise OperatorError(
                f"{phase.name}: the requests did not end within {limit:g} s: this machine is too busy, "
                "lower load_test_rate_percent"
            ) from None
        finally:
            process.kill()
        if process.returncode:
            raise OperatorError(f"{phase.name}: requests could not be sent: {complaint.decode()[-2000:]}")
        return Result.of(phase, json.loads(text))

    def _asked(self, phase: Phase) -> dict[str, Any]:
        catalogue, setting = self.env.catalogue, self.env.setting
        seconds = catalogue.gateway.timeouts_ms.browser_client / 1000
        return {
            "parent": os.getpid(),
            "edges": [self._place(edge) for edge in self.edges],
            "name": self.name,
            "path": self.path,
            "headers": self._headers(phase.seconds + 2 * seconds),
            "count": phase.count,
            "per_second": phase.per_second,
            "connections": int(setting.load_test_connections),
            "answer_seconds": seconds,
            "stop_percent": catalogue.operations.baselines.error_rate_percent.critical,
        }

    def _place(self, edge: Host) -> dict[str, Any]:
        ca = self.env.tls.certificate if shows_own(edge) else ""
        return {"address": edge.address, "port": int(edge.setting.nginx_https_port), "ca": ca}

    def _headers(self, seconds: float) -> dict[str, str]:
        if not self.env.setting.nginx_auth_request:
            return {}
        key = self.env.secret("service/jwt")
        return {"Authorization": f"Bearer {token(key, USER, time.time(), int(seconds))}"}

"""Containers that write numbered log lines at a fixed rate, and what of them has arrived at the log store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from control import Control

from nexus.provider.lab.machine import wait_until

# Prints RATE lines a second, and how many it printed once it is told to stop.
PROGRAM = (
    "let n = 0; const line = () => console.log(JSON.stringify({level: 'info', service: 'flood', message: 'line',"
    " requestId: `${process.argv[1]}-${++n}`}));"
    " const timer = setInterval(() => { for (let i = 0; i < process.argv[2] / 10; i++) line(); }, 100);"
    " process.on('SIGTERM', () => { clearInterval(timer); console.error(`written ${n}`); });"
)
ARRIVAL_SECONDS = 120


@dataclass
class Writers:
    """Containers on app hosts in turn, from the image of any service there."""

    control: Control
    number: int
    rate: int  # lines a second, of each
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    written: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Writers:
        tasks = self.control.everywhere(self._task, self.control.group("app"))
        hosts = [name for name, task in tasks.items() if task]  # a host that was drained may have none
        assert hosts, "no app host runs a task"
        self.place = {f"{one}": hosts[one % len(hosts)] for one in range(self.number)}
        self.control.everywhere(self._start, sorted(set(self.place.values())))
        return self

    def __exit__(self, *_: Any) -> None:
        self.control.everywhere(self._stop, sorted(set(self.place.values())))

    def _own(self, host: str) -> list[str]:
        return [one for one, place in self.place.items() if place == host]

    def _task(self, host: str) -> str:
        """The container of some service there; empty if there is none."""
        return self.control.ssh(host, "sudo docker ps -q --filter label=nexus.service | head -1").strip()

    def _start(self, host: str) -> None:
        show = f"$(sudo docker inspect -f '{{{{.Config.Image}}}}' {self._task(host)})"
        for one in self._own(host):
            options = f"--name nexus_flood.{one}.{self.run} --log-driver journald --entrypoint node"
            words = f'-e "$PROGRAM" {self.run}-{one} {self.rate}'
            self.control.ssh(host, f"PROGRAM=$(cat); sudo docker run -d {options} {show} {words}", PROGRAM)

    def _stop(self, host: str) -> None:
        """What each had written when it was told to stop, and no container afterwards."""
        for one in self._own(host):
            name = f"nexus_flood.{one}.{self.run}"
            self.control.ssh(host, f"sudo docker stop -t 30 {name}")
            last = self.control.ssh(host, f"sudo docker logs --tail 5 {name} 2>&1 | grep written").split()[-1]
            self.written[one] = int(last)
            self.control.ssh(host, f"sudo docker rm -f {name}")

    def arrived(self, seconds: float = ARRIVAL_SECONDS) -> dict[str, Any]:
        """What the log store has once nothing is missing, or after this time."""
        store, found = self.control.group("ops")[0], dict[str, Any]()

        def whole() -> bool:
            wanted = {"run": self.run, "written": self.written}
            found.update(self.control.ask(store, "log_sequence.py", wanted))
            return not found["missing"]

        wait_until(whole, seconds, pause=2)
        return found

"""The connection to hosts in a comparison: direct, or through the relay that delays and counts."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType

from benchmarks import PROJECT
from benchmarks.hosts import Fleet

PORT = 22100
DELAY_MS = 20.0
LINKS = ("direct", "delay")


class Distance:
    """The connection to the hosts while it is entered: `direct` needs nothing, `delay` a relay process."""

    def __init__(self, link: str, fleet: Fleet) -> None:
        self.link, self.fleet = link, fleet
        self._relay: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that tell our inventory about it."""
        return {"NEXUS_BENCH_HOSTS": str(len(self.fleet.hosts)), "NEXUS_BENCH_RELAY": str(PORT) if self._relay else ""}

    def turns(self) -> int | None:
        """Turns on the wire since the last call; None if nothing counts them."""
        if self._relay is None:
            return None
        assert self._relay.stdin
        assert self._relay.stdout
        self._relay.stdin.write("\n")
        self._relay.stdin.flush()
        return int(json.loads(self._relay.stdout.readline()).get("turns", 0))

    def __enter__(self) -> Distance:
        if self.link == "delay":
            ways = [f"{PORT + number}={host.address}:22" for number, host in enumerate(self.fleet.hosts)]
            self._relay = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.relay", str(DELAY_MS), *ways],
                cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert self._relay.stdout
            if self._relay.stdout.readline() != "ready\n":
                raise RuntimeError(f"the relay did not start: is port {PORT} of this machine taken?")
        self.fleet.write(PORT if self._relay else 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._relay and self._relay.stdin:
            self._relay.stdin.close()
            self._relay.wait(10)

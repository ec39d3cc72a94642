"""A deploy that starts during a failover: it succeeds or names the reason, and never makes things worse."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor

from conftest import Figure
from control import Control

SECONDS = 300


class ParallelDeploy:
    """A run of deploys/data.py, started when this object is made."""

    def __init__(self, control: Control) -> None:
        self.running = control.start(deploy="deploys/data.py")
        self.output: Future[tuple[str, str]] = ThreadPoolExecutor(1).submit(self.running.communicate)

    def ended(self, what: str, figure: Figure) -> None:
        """Fail unless the run ended in time, and named a reason if it failed."""
        try:
            output, _ = self.output.result(SECONDS)
        except TimeoutError:
            os.killpg(self.running.pid, signal.SIGKILL)
            raise AssertionError(f"the parallel deploy did not end within {SECONDS} s") from None
        assert "Traceback" not in output, output[-3000:]
        if not self.running.returncode:
            figure(f"{what}: parallel deploy", "succeeded")
            return
        reasons = [line.removeprefix("error: ") for line in output.splitlines() if line.startswith("error: ")]
        assert reasons, output[-3000:]
        figure(f"{what}: message of the parallel deploy", reasons[-1][:120])

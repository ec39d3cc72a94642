"""A deploy that is begun while something fails over: it waits or says why not, and never makes it worse."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor

from conftest import Figure
from control import Control

SECONDS = 300


class Beside:
    """A run of deploys/data.py from the moment in which this is made."""

    def __init__(self, control: Control) -> None:
        self.running = control.start(deploy="deploys/data.py")
        self.output: Future[tuple[str, str]] = ThreadPoolExecutor(1).submit(self.running.communicate)

    def ended(self, what: str, figure: Figure) -> None:
        """It has ended in time, and where it failed it says why."""
        try:
            output, _ = self.output.result(SECONDS)
        except TimeoutError:
            os.killpg(self.running.pid, signal.SIGKILL)
            raise AssertionError(f"a deploy beside it did not end within {SECONDS} s") from None
        assert "Traceback" not in output, output[-3000:]
        if not self.running.returncode:
            figure(f"{what}: a deploy beside it", "went through")
            return
        reasons = [line.removeprefix("error: ") for line in output.splitlines() if line.startswith("error: ")]
        assert reasons, output[-3000:]
        figure(f"{what}: a deploy beside it said", reasons[-1][:120])

"""A run on its own terminal, as an operator starts it by hand."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from control import PROJECT, SILENT_SECONDS, Control

from nexus.provider.lab.machine import wait_until


class Interactive:
    """A run on its own terminal, which asks for confirmation before it changes anything."""

    def __init__(self, control: Control, data: dict[str, Any]) -> None:
        words = [str(Path(sys.executable).with_name("pyinfra")), "inventory", "deploys/full.py", "-v"]
        for key, value in data.items():
            words += ["--data", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
        self._terminal, inside = pty.openpty()
        self._process = subprocess.Popen(
            words, cwd=PROJECT, env={**os.environ, "NEXUS_ENV": control.name},
            stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        )  # fmt: skip
        os.close(inside)
        self._said = ""

    @property
    def status(self) -> int:
        """Exit status."""
        return self._process.wait(60)

    def read_until(self, words: str) -> None:
        """Read the run's output up to these words."""
        while words not in self._said:
            assert self._read(), f"ended without: {words}\n{self._said[-2000:]}"

    def answer(self, text: str) -> None:
        """Type this text."""
        os.write(self._terminal, text.encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal while the run waits, as an operator does after reading the question."""
        assert wait_until(self._waits, SILENT_SECONDS, pause=0.01), self._said[-2000:]
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does: from now on every write to it fails."""
        os.close(self._terminal)
        self._process.send_signal(signal.SIGHUP)

    def end(self) -> str:
        """The whole output, once the run has ended."""
        while self._read():
            pass
        return self._said

    def _waits(self) -> bool:
        """Whether the process sleeps: a signal between a question and the wait for its answer would be ignored."""
        return "State:\tS" in Path(f"/proc/{self._process.pid}/status").read_text()

    def _read(self) -> bool:
        """Read what is available; False at the end."""
        if not wait([self._terminal], SILENT_SECONDS):
            self._process.kill()
            raise AssertionError(f"nothing more for {SILENT_SECONDS} s after: {self._said[-2000:]}")
        try:
            text = os.read(self._terminal, 65536).decode(errors="replace")
        except OSError:  # the other side is closed
            return False
        self._said += text
        return bool(text)

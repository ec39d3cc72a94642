"""Questions asked in parallel: most of the time is spent waiting for daemons."""

import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any


class Answers:
    """Answers to questions that are asked at the same time, each in its own thread."""

    def __init__(self, questions: Mapping[str, Callable[[], Any]]) -> None:
        self._found: dict[str, Any] = {}
        self._threads = [Thread(target=self._ask, args=each, daemon=True) for each in questions.items()]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float | None = None) -> dict[str, Any]:
        """All answers, or those that came within `seconds`. A question that raises an error has no answer."""
        deadline = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return dict(self._found)

    def _ask(self, name: str, question: Callable[[], Any]) -> None:
        self._found[name] = question()

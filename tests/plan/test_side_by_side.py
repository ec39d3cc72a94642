"""Work on several hosts in parallel."""

from __future__ import annotations

import gevent
import pytest

from nexus.error import OperatorError
from nexus.run.side_by_side import side_by_side


def test_results_are_by_name_and_hosts_run_in_parallel() -> None:
    begun: list[str] = []

    def work(name: str) -> str:
        begun.append(name)
        while len(begun) < 2:
            gevent.sleep(0.001)
        return name.upper()

    with gevent.Timeout(10):
        assert side_by_side(work, ["a", "b"]) == {"a": "A", "b": "B"}


def test_an_error_is_raised_once_all_have_ended() -> None:
    ended: list[str] = []

    def work(name: str) -> None:
        if name == "a":
            raise OperatorError("a is gone")
        gevent.sleep(0.01)
        ended.append(name)

    with pytest.raises(OperatorError, match="a is gone"):
        side_by_side(work, ["a", "b"])
    assert ended == ["b"]

"""What tests of load tests share: a run that reaches some hosts, a first phase, and a place for reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from nexus.environment.environment import Environment
from runbooks.load_test.phase import Phase
from runbooks.load_test.result import Request, Result
from tests.plan.fake_run import FakeRun

WARM = Result(Phase("warm-up", 1, 1), [Request(0.0, 0.0, 200, 9999.0)], 0, False, {})


class Run(FakeRun):
    """A run that reaches some hosts."""

    def __init__(self, env: Environment, *reached: str, dry: bool = False) -> None:
        self.environment, self.names, self.dry = env, reached, dry

    def reaches(self, name: str) -> bool:
        return name in self.names


class _Elsewhere:
    def __init__(self, path: Path) -> None:
        self.path = path

    def root(self) -> Path:
        return self.path


def reports_below(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reports of a test are written from now on."""
    monkeypatch.setattr("runbooks.load_test.report.project", _Elsewhere(directory))
    return directory / "reports"

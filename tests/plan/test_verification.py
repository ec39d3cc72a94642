"""Verification at the end of a run: what it says, when it fails the run, and which environment it asks about."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.verification import Finding, _Verify
from tests.plan.environments import environment
from tests.plan.fake_run import FakeRun


@pytest.mark.parametrize(("failed", "succeeds"), [((), True), (["one: wrong"], False)])
def test_a_failure_fails_the_run(
    failed: list[str], succeeds: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run: Any = SimpleNamespace(outcome=SimpleNamespace(findings={}))
    monkeypatch.setattr("nexus.run.verification.current_run", lambda: run)
    asked = []

    def ask(run: Any, host: str) -> Finding:
        asked.append(host)
        return Finding("2 of 3", failed, known=["two: known"])

    with caplog.at_level("WARNING"):
        done = _Verify("things", ask).execute(None, SimpleNamespace(name="edge1"), None)
    assert (done, asked, run.outcome.findings) == (succeeds, ["edge1"], {"things": "2 of 3"})
    assert [record.getMessage().strip() for record in caplog.records] == ["two: known", *failed]


def test_the_last_run_is_believed_where_no_host_tells(tmp_path: Path) -> None:
    class Told(FakeRun):
        environment, memory, fails = environment(tmp_path), SimpleNamespace(kept={"closed": {"a": "old"}}), False

        def kept(self) -> dict[str, dict[str, str]]:
            if self.fails:
                raise OperatorError("no manager answers")
            return {"closed": {"a": "new"}}

    told: Any = Told()
    assert Run.environment_now(told).kept == {"closed": {"a": "new"}}
    told.fails = True
    assert Run.environment_now(told).kept == {"closed": {"a": "old"}}

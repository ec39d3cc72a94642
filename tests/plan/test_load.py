"""Load tests: which loads are sent, which are refused, and what counts as an objective that was missed."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from nexus.cli.command import NO_SECRETS
from nexus.environment.inventory import load
from nexus.error import OperatorError
from runbooks import load_test
from runbooks.load_test.load import Load
from runbooks.load_test.phase import Phase, phases
from runbooks.load_test.report import missed
from runbooks.load_test.result import Request, Result, quantiles
from runbooks.load_test.table import as_text
from tests.plan.environments import environment
from tests.plan.load_run import WARM, Run, reports_below


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return reports_below(tmp_path, monkeypatch)


def test_an_environment_with_users_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Load, "check", lambda load: None)
    env = environment(tmp_path)
    with pytest.raises(OperatorError, match=r"users would feel .* 500 requests a second for 120 s. Add .*confirm=test"):
        load_test.plan(Run(env, "edge1"))
    with pytest.raises(OperatorError, match="test: confirm=staging is not its name"):
        load_test.plan(Run(env, "edge1"), confirm="staging")
    assert len(load_test.plan(Run(env, "edge1"), confirm="test")) == 4
    assert len(load_test.plan(Run(env, "edge1", dry=True))) == 4


@pytest.mark.parametrize("name", ["staging", "production"])
def test_environments_with_users_ask(name: str) -> None:
    assert load(name, NO_SECRETS).setting.load_test_asks


@pytest.mark.parametrize("percent", [0, 101])
def test_scales_are_bounded(tmp_path: Path, percent: int) -> None:
    with pytest.raises(OperatorError, match=f"load_test_rate_percent is {percent}: give a number from 1 to 100"):
        phases(environment(tmp_path, load_test_rate_percent=percent))


def test_the_phases_are_those_of_the_catalogue(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert [str(phase) for phase in phases(env)] == [
        f"{each.phase}: {each.arrivals_per_second} requests a second for {each.seconds} s"
        for each in env.catalogue.operations.tuning.load_test
    ]


def test_a_load_without_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbooks.load_test.phase.REQUESTS_MAX", 1000)
    with pytest.raises(OperatorError, match="would send 90600 requests in 480 s; at most 1000 in 3600 s"):
        phases(environment(tmp_path))


def test_a_phase_without_answers_misses_all(tmp_path: Path) -> None:
    requests = [Request(number / 10, 0.0, 0, 10.0) for number in range(10)]
    found = Result(Phase("spike", 1, 10), requests, 0, False, {"10.0.0.1: refused": 10})
    assert missed(environment(tmp_path), [WARM, found]) == [
        "spike: p50 is unknown: nothing was answered, at most 50 ms",
        "spike: p95 is unknown: nothing was answered, at most 200 ms",
        "spike: p99 is unknown: nothing was answered, at most 500 ms",
        "spike: 100 % of requests failed, at most 0.1 %: 10 x 10.0.0.1: refused",
    ]
    assert "10 x no answer" in as_text([found])


def test_missed_objectives_fail_the_run(
    tmp_path: Path, reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is there nevertheless, and what edges answered is escaped on it."""
    requests = [Request(number / 10, 0.0, 200, 60.0 + number) for number in range(10)]
    monkeypatch.setattr(Load, "send", lambda load, phase: Result(phase, requests, 0, False, {}))
    env = environment(tmp_path, load_test_path="/<b>", load_test_asks=False)
    monkeypatch.setattr(Load, "check", lambda load: None)
    acts = load_test.plan(Run(env, "edge1"))
    for each in acts[:-1]:
        each.do()
    with pytest.raises(
        OperatorError, match=r"^objectives were missed:\nsustained: p50 is 64 ms.*\nspike: p50 is 64 ms, .*$"
    ):
        acts[-1].do()
    page = (reports / "load-test-test.html").read_text()
    assert "2 objectives were missed" in page
    assert "<b>" not in page
    assert "64 ms" in capsys.readouterr().out


def test_a_login_at_the_edge_gets_a_token(tmp_path: Path) -> None:
    env = environment(tmp_path, nginx_auth_request=True)
    asked = Load(env, env.group("edge"))._asked(Phase("long", 500, 1))
    _, body, _ = asked["headers"]["Authorization"].removeprefix("Bearer ").split(".")
    assert json.loads(base64.urlsafe_b64decode(body + "=="))["exp"] > time.time() + 500


def test_hosts_that_are_no_edge_are_refused(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with pytest.raises(OperatorError, match=r"edge=data1: data1 is not an edge host of .*: choose edge1"):
        load_test.plan(Run(env, "edge1", "data1"), edge="data1")
    with pytest.raises(OperatorError, match="does not reach an edge host of test, so nothing was sent: drop"):
        load_test.plan(Run(env, "data1"))


def test_quantiles_are_values() -> None:
    assert quantiles([]) == {}
    assert quantiles([3.0]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0}
    assert quantiles([float(number) for number in range(100, 0, -1)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}

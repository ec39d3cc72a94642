"""Load tests: what they send to a real edge, what they find, and which loads are refused."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nexus.cli.command import NO_SECRETS
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.environment.settings import Settings
from nexus.error import OperatorError
from runbooks import load_test
from runbooks.load_test.load import Load
from runbooks.load_test.phase import Phase, phases
from runbooks.load_test.report import missed, table
from runbooks.load_test.result import Request, Result, quantiles
from tests.plan.edge_fixture import needs_edge
from tests.plan.environments import environment
from tests.plan.fake_run import FakeRun
from tests.plan.real_edge import Edge, running

SCALED = {"load_test_rate_percent": 10, "load_test_seconds_percent": 1, "load_test_asks": False}
SHORT = Phase("short", 2, 40)
WARM = Result(Phase("warm-up", 1, 1), [Request(0.0, 0.0, 200, 9999.0)], 0, False, {})


class Run(FakeRun):
    """A run that reaches some hosts."""

    def __init__(self, env: Environment, *reached: str, dry: bool = False) -> None:
        self.environment, self.names, self.dry = env, reached, dry

    def reaches(self, name: str) -> bool:
        return name in self.names


@pytest.fixture(scope="module", name="edge")
def edge_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that takes this machine for a proxy of clients."""
    with running(tmp_path_factory.mktemp("edge"), nginx_trusted_proxies=["127.0.0.1/32"], **SCALED) as edge:
        yield edge


@pytest.fixture(autouse=True)
def own_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edge of tests has files for its certificate, and they are of the environment's authority."""
    monkeypatch.setattr("runbooks.load_test.load.shows_own", lambda host: True)


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reports of a test are written."""
    monkeypatch.setattr("runbooks.load_test.report.project", _Elsewhere(tmp_path))
    return tmp_path / "reports"


class _Elsewhere:
    def __init__(self, path: Path) -> None:
        self.path = path

    def root(self) -> Path:
        return self.path


def sent(edge: Edge, phase: Phase, monkeypatch: pytest.MonkeyPatch, **headers: str) -> Result:
    """The result of a phase whose requests have these headers."""
    monkeypatch.setattr(
        Load, "_headers", lambda load, seconds: {name.replace("_", "-"): text for name, text in headers.items()}
    )
    return Load(edge.env, edge.env.hosts).send(phase)


@needs_edge
def test_a_whole_load_test(edge: Edge, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acts = load_test.plan(Run(edge.env, "edge1"))
    assert [each.what for each in acts] == [
        "Send edge1 the load warm-up: 1 requests a second for 1 s",
        "Send edge1 the load sustained: 10 requests a second for 3 s",
        "Send edge1 the load spike: 50 requests a second for 1 s",
        "Compare the answers with the objectives",
    ]
    edge.played.seen.clear()
    for each in acts[:-1]:
        each.do()
    with contextlib.suppress(OperatorError):  # times on a busy machine
        acts[-1].do()
    services = [fact["service"] for fact in edge.played.seen]
    assert services == ["ledger-mgr"] * 81
    found = json.loads((reports / "load-test-test.json").read_text())
    assert [phase["statuses"] for phase in found["phases"]] == [{"200": 1}, {"200": 30}, {"200": 50}]
    assert [each["good"] for each in found["seconds"]] == [1, 10, 10, 10, 50]
    assert found["objectives"] == {"p50": 50, "p95": 200, "p99": 500, "failed_percent": 0.1}
    assert [line for line in found["missed"] if " ms, at most " not in line] == []
    page = (reports / "load-test-test.html").read_text()
    assert ("All objectives were met" in page) == (found["missed"] == [])
    assert page.count("<svg") == 2
    text = capsys.readouterr().out
    assert "sustained  10" in text
    assert text.endswith("reports/load-test-test.html\n")


@needs_edge
def test_requests_are_sent_at_the_rate(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where answers take longer than the time between two requests."""
    began = time.monotonic()
    found = sent(edge, SHORT, monkeypatch, x_fault="slow")
    assert time.monotonic() - began < 120  # one after the other they would take four minutes
    assert found.statuses == {200: 80}
    assert [round(each.due_seconds * 40) for each in sorted(found.requests)] == list(range(80))
    assert found.times["p50"] >= 3000
    lines = missed(edge.env, [WARM, found])
    assert [line.partition(" is")[0] for line in lines] == ["short: p50", "short: p95", "short: p99"]


@needs_edge
def test_failures_end_the_load_early(edge: Edge, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(edge, Phase("spike", 60, 100), monkeypatch, x_fault="drop")
    assert found.stopped
    assert 100 <= len(found.requests) < 1000
    assert found.failed == len(found.requests)
    assert "x 127.77.0.1: status 50" in found.reasons()
    test = load_test._Test(Load(edge.env, edge.env.hosts))
    with pytest.raises(OperatorError, match=r"spike ended early: \d+ of \d+ requests failed: .*deploys/status.py"):
        test.send(Phase("spike", 60, 100))
    assert json.loads((reports / "load-test-test.json").read_text())["phases"][0]["stopped"]


@needs_edge
def test_limits_of_the_edge_are_not_failures(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(edge, Phase("spike", 1, 400), monkeypatch, x_forwarded_for="127.78.7.7")
    assert found.limited > 50
    assert found.failed == 0
    assert len(found.good) + found.limited == 400
    assert any(
        "429): add this machine's address to edge_unlimited_networks" in line
        for line in missed(edge.env, [WARM, found])
    )


@needs_edge
def test_what_waits_too_long_is_not_sent(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Load(edge.env, edge.env.hosts)._asked(SHORT)
    few = {**asked, "connections": 1, "answer_seconds": 2, "headers": {"X-Fault": "slow"}}
    monkeypatch.setattr(Load, "_asked", lambda load, phase: few)
    found = Load(edge.env, edge.env.hosts).send(SHORT)
    assert found.unsent > 50
    assert found.failed == 80 - found.unsent
    assert any("requests were not sent, since too many waited" in line for line in missed(edge.env, [WARM, found]))


@needs_edge
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"load_test_path": "/api/nothing/"}, "127.77.0.1: status 404"),
        ({"domain": "other.example.com"}, "api.other.example.com"),
        ({"nginx_https_port": 1}, "Connection refused"),
    ],
)
def test_an_edge_that_does_not_answer(edge: Edge, settings: dict[str, Any], said: str) -> None:
    env = edge.env
    setting = Settings({**env.setting, **settings})
    other = replace(env, setting=setting, hosts=tuple(replace(host, setting=setting) for host in env.hosts))
    with pytest.raises(OperatorError, match=f"edge1 does not answer GET https://.*{said}.*load_test_path"):
        load_test.plan(Run(other, "edge1"))


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
    assert "10 x no answer" in table([found])


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
    with pytest.raises(OperatorError, match="no edge host is reached"):
        load_test.plan(Run(env, "data1"))


def test_quantiles_are_values() -> None:
    assert quantiles([]) == {}
    assert quantiles([3.0]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0}
    assert quantiles([float(number) for number in range(100, 0, -1)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}

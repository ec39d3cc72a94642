"""Load tests on a real edge: what they send, and what they find."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.settings import Settings
from nexus.error import OperatorError
from runbooks import load_test
from runbooks.load_test.load import Load
from runbooks.load_test.phase import Phase
from runbooks.load_test.report import missed
from runbooks.load_test.result import Result
from tests.plan.edge_fixture import needs_edge
from tests.plan.load_run import WARM, Run, reports_below
from tests.plan.real_edge import Edge, running

SETTINGS: dict[str, Any] = {
    "load_test_rate_percent": 10,
    "load_test_seconds_percent": 1,
    "load_test_connections": 10,
    "load_test_asks": False,
    "nginx_trusted_proxies": ["127.0.0.1/32"],
    "router_windows": ["gateway"],
    "router_window_requests": {"gateway": 30},  # of one client
}
ANSWER_SECONDS = 60  # on a busy machine
SHORT = Phase("short", 2, 40)


@pytest.fixture(scope="module", name="edge")
def edge_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that takes this machine for a proxy of clients."""
    with running(tmp_path_factory.mktemp("edge"), **SETTINGS) as edge:
        yield edge


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may take long; the edge of tests has its certificate, of the environment's authority, in files."""
    asked = Load._asked
    monkeypatch.setattr(Load, "_asked", lambda *given: {**asked(*given), "answer_seconds": ANSWER_SECONDS})
    monkeypatch.setattr("runbooks.load_test.load.shows_own", lambda host: True)


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return reports_below(tmp_path, monkeypatch)


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
    assert time.monotonic() - began < 200  # one after the other they would take four minutes
    assert found.statuses == {200: 80}
    assert [round(each.due_seconds * 40) for each in sorted(found.requests)] == list(range(80))
    assert found.times["p50"] >= 3000
    assert found.unsent == 0
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
def test_a_load_whose_run_is_gone_ends(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Load(edge.env, edge.env.hosts)._asked(Phase("long", 600, 10))
    monkeypatch.setattr(Load, "_asked", lambda load, phase: {**asked, "parent": 1})
    assert Load(edge.env, edge.env.hosts).send(Phase("long", 600, 10)).requests == []


@needs_edge
def test_limits_of_the_edge_are_not_failures(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(edge, Phase("spike", 1, 60), monkeypatch, x_forwarded_for="127.78.7.7")
    assert found.limited >= 30
    assert found.limited + len(found.good) + found.failed == 60
    assert "429" not in found.reasons()  # a busy machine may have other failures
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

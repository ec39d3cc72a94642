"""An observation is taken from the answers of the hosts, and stored before pages are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus import project
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.row import Row
from runbooks import handoff
from runbooks.handoff import observation
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.host import versions
from runbooks.handoff.truth import differences
from tests.plan.fake_run import FakeRun
from tests.plan.handoff_world import COMMIT, lab
from tests.plan.project_copy import Project

PACKAGES = {"nginx": "1.26.3-3"}


class Hosts(FakeRun):
    """A run on hosts that are as planned; `silent` ones are not reached."""

    def __init__(self, env: Environment, silent: str = "") -> None:
        self.environment, self.silent = env, silent

    def reaches(self, name: str) -> bool:
        return name != self.silent

    def kept(self) -> Mapping[str, Any]:
        return {}

    def roles(self, name: str) -> list[str]:
        return ["base"]

    def plan(self, name: str, role: str) -> Any:
        return SimpleNamespace(packages=("nginx",))

    def ask_source(self, name: str, source: Path, names: list[str], context: Mapping[str, Any]) -> dict[str, Any]:
        assert (source.name, context) == ("versions.py", {"packages": ["nginx"]})
        return {**PACKAGES, "system": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12"}

    def answer(self, name: str) -> dict[str, Any]:
        assert name == "app1"
        services = {
            f"service {name}": {"image": f"{name}:1@sha256:5", "replicas": 1, "tasks": "all run", "hash": "x"}
            for name in self.environment.services
        }
        return {"states": {"service": {"items": {**services, "service router": {}, "config x": {}}}}}


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other runbooks' answers."""
    line = {"host": "edge1", "role": "nginx", "item": "file /x", "how": "differs", "before": "a", "after": "b"}
    more = {"lines": ["+secret"], "since": 1.0, "first_seen": 1.0, "last_run": None}

    def drift(run: Any, before: Any) -> dict[str, Any]:
        silent = {run.silent: "could not be reached"} if run.silent else {}
        found = [{**line, **more}] if run.silent else []
        return {"commit": COMMIT.name, "plan": "7" * 64, "drift": found, "unhealthy": [], "unknown": silent}

    begin = {"event": "begin", "run": "1", "time": 0.0, "who": "ops", "purpose": "deploys/full.py", "intended": {}}
    end = {"event": "end", "run": "1", "time": 9.0, "changes": {"edge1": [["nginx", "file /x", "changed", True]]}}
    monkeypatch.setattr(observation, "drift_report", drift)
    monkeypatch.setattr(observation, "status_rows", lambda run: [Row("backup", "redis", "1 h ago", "within 2 h")])
    monkeypatch.setattr(observation, "read_record", lambda env, since: ([begin, end], [], []))


def test_hosts_as_planned(answers: None) -> None:
    env = lab()
    seen = observation.take(Hosts(env))
    assert json.loads(json.dumps(seen)) == seen
    assert differences(env, COMMIT, seen) == []
    assert seen["hosts"]["data1"] == {
        "system": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12", "versions": PACKAGES, "unknown": "",
    }  # fmt: skip
    assert seen["services"]["glitch"] == {"image": "glitch:1@sha256:5", "replicas": 1, "tasks": "all run"}
    assert seen["status"][0]["missed"] is False
    assert seen["runs"] == [
        {"at": "1970-01-01T00:00:00Z", "who": "ops", "purpose": "deploys/full.py", "changes": 1, "ended": True}
    ]


def test_a_silent_host_and_drift_are_differences() -> None:
    env = lab()
    seen = observation.take(Hosts(env, "data2"))
    found = [str(difference) for difference in differences(env, COMMIT, seen)]
    assert found == [
        "host data2: comparison: planned compared as a whole, found could not be reached",
        "host edge1: nginx: file /x: differs: planned b, found a",
    ]
    assert "secret" not in json.dumps(seen)


def test_the_observation_is_stored_even_where_pages_are_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is wrong, and can be used with drift=allow."""
    env = lab()
    monkeypatch.setattr(project, "_root", tmp_path)
    monkeypatch.setattr(handoff, "commit", lambda: COMMIT)
    with pytest.raises(OperatorError, match="plan and hosts differ"):
        handoff.write(Hosts(env, "data2"))
    stored = observation.load(observation.path_of(env), env)
    assert len(Handoff.of(env, COMMIT, stored, allow=True).differences) == 2


def test_versions_of_this_machine() -> None:
    found = versions.probe(["versions"], {"packages": ["dpkg", "no-such-package"]})
    assert found.keys() == {"dpkg", "system", "kernel"}
    assert all(found.values())
    assert versions.probe(["versions"], {"packages": []}).keys() == {"system", "kernel"}


def test_hosts_that_do_not_answer(project: Project) -> None:
    done = project.run("inventory", "deploys/handoff.py")
    assert done.status == 1, done.text
    assert "Traceback" not in done.text
    assert not (project.root / "dist").exists()

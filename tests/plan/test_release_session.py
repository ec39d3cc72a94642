"""The course of a release: what is recorded when, and what is rolled back, with a fake swarm.

tests/scenarios/test_release.py does the same on real hosts; these tests cover every branch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.service.contents import mounted
from roles.service.released import Released, key, released
from roles.service.stack import definitions
from runbooks.release import revert, watch
from runbooks.release.context import Situation
from runbooks.release.gate import Traffic
from runbooks.release.plan import Step
from runbooks.release.record import Running
from runbooks.release.rollout import SwarmSession
from tests.plan.environments import environment

GOOD = Traffic(1000, 0, {3: 1000})
BAD = Traffic(1000, 200, {3: 1000})


class Played(Situation):
    """Hosts as data: services in `rejects` never get healthy, `answers` are the edge's measurements afterwards."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        defaults = {"service_replicas_max": 1, "release_min_ready_seconds": 0, "nginx_log_directory": "/log"}
        self.env = environment(directory, **{**defaults, **settings})
        self.leader, self.kept = "app1", list[dict[str, Any]]()
        self.host = self.leader
        self.run: Any = SimpleNamespace(
            hosts=SimpleNamespace(reaches=lambda name: True, ask_source=self.ask_source),
            outcome=SimpleNamespace(changes=defaultdict(list)),
            environment=self.env,
        )
        self.swarm = {name: content for name, content in definitions(self.env).items() if name != "router"}
        self.first = {name: content["image"] for name, content in self.swarm.items()}
        self.rejects: set[str] = set()
        self.answers: dict[str, Traffic] = {}
        self.brought: list[list[str]] = []
        self.silent: list[tuple[list[str], list[list[str]]]] = []  # services, and what was brought meanwhile

    def ask_source(self, host: str, source: Path, names: Sequence[str], context: Mapping[str, Any]) -> dict[str, Any]:
        if "probes" in context:
            return {f"service {name}": {"ready": True, "why": ""} for name in context["probes"]}
        return {name: {"lines": [f"last words of {name}"]} for name in names}

    @contextmanager
    def silenced(self, names: Sequence[str], why: str) -> Iterator[None]:
        before = len(self.brought)
        yield
        self.silent.append((list(names), self.brought[before:]))

    def keep(self, values: Mapping[str, Any]) -> None:
        self.kept.append(dict(values))
        self.env = self.env.with_facts(self.env.hosts, {}, {**self.env.kept, **values})

    def services(self, names: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"": {"stored": self.stored()}}
        for name in names:
            labels = self.swarm[name]["deploy"]["labels"]
            running = self.running([name])[name]
            found[name] = {"hash": labels["nexus.hash"], "running": 1, "failed": [], "previous": None,
                           "image": running.image, "config": running.config}  # fmt: skip
        return found

    def stored(self) -> list[str]:
        services = self.env.catalogue.services.values()
        own = [item.split()[1] for service in services for item, _ in mounted(self.env, service).values()]
        return own + [entry["config"] for record in self.env.kept.values() for entry in record.get("history", ())]

    def running(self, names: Sequence[str]) -> dict[str, Running]:
        def config(name: str) -> str:
            return next(s["source"] for s in self.swarm[name]["configs"] if s["target"] == "/run/secrets/config")

        return {name: Running(self.swarm[name]["image"], config(name)) for name in names}

    def deploy(self, what: str, work: Mapping[str, Any]) -> bool:
        self.brought.append(list(work["definitions"]))
        refused = {name for name in work["definitions"] if name in self.rejects and "9.9.9" in
                   work["definitions"][name]["image"]}  # fmt: skip
        self.swarm |= {name: content for name, content in work["definitions"].items() if name not in refused}
        return not refused

    def settle(self) -> None:
        pass

    def digests(self, names: Sequence[str], release: str) -> dict[str, Any]:
        return {name: {"digest": f"sha256:{release}"} for name in names}

    def traffic(self, names: Sequence[str], seconds: float) -> dict[str, Traffic]:
        rolled = {name for wave in self.brought for name in wave}
        return {name: self.answers.get(name, GOOD) if name in rolled else GOOD for name in names}

    def own_requests(self, names: Sequence[str], count: int) -> dict[str, Traffic]:
        raise AssertionError("there is traffic enough")

    def releases(self, *names: str) -> list[str]:
        """The running release numbers."""
        return [self.swarm[name]["image"].partition("@")[0].rsplit(":", 1)[1] for name in names]

    def planned(self, *names: str) -> list[str]:
        """The release numbers that every later run plans."""
        return [released(self.env, name).release for name in names]


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


def release(played: Played, *names: str) -> None:
    SwarmSession(played, "9.9.9").wave(names)


def test_a_release_that_passes_is_recorded(played: Played) -> None:
    release(played, "key-service", "glitch")
    assert played.releases("key-service", "glitch") == played.planned("key-service", "glitch") == ["9.9.9"] * 2
    now = definitions(played.env)
    assert {name: content for name, content in now.items() if name != "router"} == played.swarm
    (step,) = SwarmSession(played, "9.9.9").steps(["glitch"])
    assert not SwarmSession(played, "9.9.9").needed(step)


def test_the_old_release_is_planned_until_the_new_one_passes(played: Played) -> None:
    release(played, "glitch")
    begun, done = (kept[key("glitch")]["current"]["release"] for kept in played.kept)
    assert (begun, done) == ("1.0.0", "9.9.9")


def test_alerts_are_silent_while_a_service_rolls(played: Played) -> None:
    release(played, "glitch")
    assert played.silent == [(["glitch"], [["glitch"]])]


@pytest.mark.parametrize("how", ["rejects", "answers"])
def test_only_the_bad_service_goes_back(played: Played, how: str, caplog: pytest.LogCaptureFixture) -> None:
    if how == "rejects":
        played.rejects = {"glitch"}
    else:
        played.answers = {"glitch": BAD}
    told = r"(?s)glitch did not get through: .*glitch 1\.0\.0 runs again.*key-service"
    with pytest.raises(OperatorError, match=told):
        release(played, "key-service", "glitch")
    assert played.releases("key-service", "glitch") == played.planned("key-service", "glitch") == ["9.9.9", "1.0.0"]
    assert played.swarm["glitch"]["image"] == played.first["glitch"]
    assert ("last words of glitch" in caplog.text) == (how == "answers")


def test_policy_back_returns_all_services_of_the_run(tmp_path: Path) -> None:
    played = Played(tmp_path, release_on_failure="back")
    played.rejects = {"pv-keys"}
    run = SwarmSession(played, "9.9.9")
    run.wave(["glitch", "key-service"])
    with pytest.raises(OperatorError, match=r"(?s)pv-keys did not get through.*glitch, key-service went back, too"):
        run.wave(["pv-keys"])
    names = ("glitch", "key-service", "pv-keys")
    assert played.releases(*names) == played.planned(*names) == ["1.0.0"] * 3


def test_a_step_that_breaks_off_leaves_the_old_one_planned(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any) -> dict[str, str]:
        raise OperatorError("app1 gave no answer")

    monkeypatch.setattr(watch.Watch, "_tasks", lost)
    with pytest.raises(OperatorError, match=r"(?s)no answer.*not recorded as released"):
        release(played, "glitch")
    assert played.planned("glitch") == ["1.0.0"]


def test_a_rollback_follows_the_order_of_operations(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["key-service", "backend-api", "auth-service", "glitch"]
    release(played, *names)
    found = played.history(names)
    steps = revert.steps_of(played, names, found)
    batches = []
    deploy = played.deploy

    def noted(what: Any, work: Any) -> Any:
        batches.append(work["batches"])
        return deploy(what, work)

    monkeypatch.setattr(played, "deploy", noted)
    revert.check_configurations(played, steps, found.configurations)
    revert.go(played, steps)
    assert batches == [[["auth-service"], ["backend-api"], ["key-service", "glitch"]]]
    assert played.releases(*names) == played.planned(*names) == ["1.0.0"] * 4
    found = played.history(["glitch"])
    assert revert.steps_of(played, ["glitch"], found) == []
    (forth,) = revert.steps_of(played, ["glitch"], found, "9.9.9")
    assert forth.after.release == "9.9.9"


def test_a_lost_configuration_is_not_restored(played: Played) -> None:
    stored = played.history(["glitch"]).configurations
    assert stored
    step = Step("glitch", Released("2"), Released("1", config="glitch-gone", pinned=True))
    with pytest.raises(
        OperatorError, match="the swarm no longer has the configuration of glitch 1: start deploys/release"
    ):
        revert.check_configurations(played, [step], stored)


def test_the_plan_of_a_rollback_asks_the_swarm_once(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    release(played, "glitch", "key-service")
    asked: list[list[str]] = []
    services = played.services

    def counted(names: Sequence[str]) -> dict[str, Any]:
        asked.append(list(names))
        return services(names)

    monkeypatch.setattr(played, "services", counted)
    assert len(revert.plan(played, ["glitch", "key-service"])) == 1
    assert len(asked) == 1

"""Daily work: what an operator may request, and what the environment keeps of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.catalogue import load
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Unit
from nexus.run.role import Fact
from roles.nginx.location import closed_services
from roles.service.stack import definitions
from roles.swarm.plan import plan as swarm_plan
from roles.table import ROLES
from runbooks.daily import maintenance, restart, scale
from runbooks.daily.host import logs
from tests.plan.environments import LAB, environment
from tests.plan.fake_run import FakeRun

CHECKED = {**LAB, "edge1": "edge"}


class Asked(FakeRun):
    """A run as the plans of runbooks see it: an environment and its kept values, without hosts."""

    def __init__(self, env: Environment, kept: dict[str, Any] | None = None) -> None:
        self.environment, self._kept = env, kept or {}

    def kept(self) -> dict[str, Any]:
        return self._kept

    def digests(self) -> dict[str, str]:
        return {}

    def teller(self, fact: Fact) -> str | None:
        return ROLES.teller(fact, self.environment)

    def host(self, name: str) -> Any:
        return self.environment.host(name)

    def reaches(self, name: str) -> bool:
        return True

    def roles(self, name: str) -> list[str]:
        return ["docker"]

    def plan(self, name: str, role: str) -> Any:
        return SimpleNamespace(units=[Unit("docker.service", ready_check="true")])


def acts(
    module: Any, directory: Path, kept: dict[str, Any] | None = None, /, scale: float = 0.01, **given: Any
) -> list[str]:
    env = environment(directory, service_memory_scale=scale, service_cpu_scale=0.0, service_gpu=False)
    return [act.what for act in module.plan(Asked(env, kept), **given)]


# Kept values


def test_kept_values_win_over_the_settings_of_a_checkout(tmp_path: Path) -> None:
    env = environment(tmp_path, service_replicas={"auth-service": 2, "glitch": 2})
    kept: dict[str, dict[str, Any]] = {
        "replicas auth-service": {"value": 5},
        "drained app2": {"at": "x"},
        "replicas gone": {"value": 1},
    }
    seen = env.with_facts(env.hosts, {}, kept)
    found = definitions(seen)
    assert (found["auth-service"]["deploy"]["replicas"], found["glitch"]["deploy"]["replicas"]) == (5, 2)
    members = {state.name: state for state in swarm_plan(seen, seen.host("app1")).states}["swarm_cluster"].items
    assert members["member app2"]["availability"] == "drain"
    assert members["member app3"]["availability"] == "active"
    assert definitions(env.with_facts(env.hosts, {}, {}))["auth-service"]["deploy"]["replicas"] == 2  # reset


# Scale


def test_a_scale_reports_from_and_to_or_no_change(tmp_path: Path) -> None:
    data: dict[str, Any] = {"services": ["auth-service"], "replicas": "4"}
    before = environment(tmp_path).catalogue.service("auth-service").replicas
    assert acts(scale, tmp_path, **data) == [f"Set replicas of auth-service: {before} -> 4"]
    kept = {"replicas auth-service": {"value": 4}}
    assert acts(scale, tmp_path, kept, **data) == []
    back = acts(scale, tmp_path, kept, services=["auth-service"], replicas="catalogue")
    assert back == [f"Set replicas of auth-service: 4 -> {before}"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"replicas": "2"}, "name services and a number"),
        ({"services": ["auth-service"]}, "name services and a number"),
        ({"services": ["auth-service"], "replicas": "many"}, "name services and a number"),
        ({"services": ["auth-service"], "replicas": "0"}, "To remove a service, use services_excluded"),
        ({"services": ["auth-service"], "replicas": "90", "scale": 1.0}, "do not fit on its hosts"),
    ],
)
def test_an_impossible_scale_is_refused(tmp_path: Path, data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        acts(scale, tmp_path, **data)


# Maintenance


def test_a_host_is_emptied_before_it_is_drained(tmp_path: Path) -> None:
    assert acts(maintenance, tmp_path, host="app2") == [
        "Start the tasks of app2 on app1, app3",
        "Keep app2 drained until back=true",
    ]
    kept = {"drained app2": {"at": "x"}}
    assert acts(maintenance, tmp_path, kept, host="app2") == []
    assert acts(maintenance, tmp_path, kept, host="app2", back=True) == ["Let app2 take tasks again"]
    assert acts(maintenance, tmp_path, host="app2", back=True) == []


def test_closing_a_module_spares_services_others_need(tmp_path: Path) -> None:
    said = acts(maintenance, tmp_path, module="puabo-nexus")
    assert len(said) == 1
    assert "puabo-nexus-fleet-manager" in said[0]
    assert "billing-service" not in said[0]
    assert acts(maintenance, tmp_path, module="casino-nexus") == ["Close casino-nexus: a page for /casino-nexus/"]
    kept = {"maintenance puabo-nexus": {"at": "x"}}
    assert acts(maintenance, tmp_path, kept, module="puabo-nexus", back=True) == ["Open puabo-nexus again"]
    env = environment(tmp_path)
    assert "billing-service" in closed_services(env, [module.slug for module in env.catalogue.modules])


def test_the_message_of_a_closed_module_can_be_changed(tmp_path: Path) -> None:
    data: dict[str, Any] = {"module": "puabo-nexus", "message": "Back at noon."}
    kept = {"maintenance puabo-nexus": {"at": "x"}}
    assert acts(maintenance, tmp_path, kept, **data) == ["Change the message of puabo-nexus"]
    kept["maintenance puabo-nexus"]["message"] = "Back at noon."
    assert acts(maintenance, tmp_path, kept, **data) == []
    kept["maintenance puabo-nexus"]["message"] = "Back at ten."
    assert acts(maintenance, tmp_path, kept, module="puabo-nexus") == []


@pytest.mark.parametrize(
    ("data", "kept", "complaint"),
    [
        ({}, {}, "name one: --data host=app2"),
        ({"host": "app1", "module": "puabo-nexus"}, {}, "name one"),
        ({"host": "data1"}, {}, "host=data1 runs no services"),
        ({"host": "ap1"}, {}, 'has no host "ap1"; did you mean "app1"'),
        ({"host": "app3"}, {"drained app1": {}, "drained app2": {}}, "no other app host would be left"),
        ({"services": ["backend-api"]}, {}, "service=backend-api: no open route at the edge leads there"),
        ({"host": "app1", "message": "Back soon."}, {}, "message is for visitors"),
        ({"services": ["auth-service"], "message": "Back soon."}, {}, "message is for visitors"),
        ({"module": "puabo-nexus", "back": True, "message": "Back soon."}, {}, "message is for visitors"),
        ({"module": "puabo-nexs"}, {}, 'unknown module; did you mean "puabo-nexus"'),
    ],
)
def test_an_impossible_maintenance_is_refused(
    tmp_path: Path, data: dict[str, Any], kept: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(OperatorError, match=complaint):
        acts(maintenance, tmp_path, kept, **data)


def test_a_module_without_pages_and_services_of_its_own_cannot_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load()
    modules = tuple(each.model_copy(update={"frontend": False}) for each in found.modules)
    without = replace(found, applications=found.applications.model_copy(update={"modules": modules}))
    monkeypatch.setattr("nexus.environment.environment.load", lambda: without)
    with pytest.raises(OperatorError, match="every service of it also serves other modules"):
        acts(maintenance, tmp_path, module="casino-nexus")


# Restart


def test_services_restart_together_and_units_host_by_host(tmp_path: Path) -> None:
    assert acts(restart, tmp_path, services=["user-auth", "auth-service"]) == [
        "Replace the tasks of user-auth, auth-service, new tasks first"
    ]
    said = acts(restart, tmp_path, unit="docker")
    assert said[0] == "Restart docker.service on edge1"
    assert len(said) == len(LAB)
    assert acts(restart, tmp_path, unit="docker.service", host="app2") == ["Restart docker.service on app2"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, "name one: --data service=auth-service, or --data unit=redis-server"),
        ({"unit": "dockr"}, 'no role installs such a unit in test; did you mean "docker"'),
    ],
)
def test_an_impossible_restart_is_refused(tmp_path: Path, data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        acts(restart, tmp_path, **data)


# Logs


def test_logs_are_bounded_and_lines_say_when_and_which_task() -> None:
    found = logs.bounded(["one error", "two", "three error", "x" * 9000], {"grep": "", "lines": 2})
    assert found["more"] is True
    assert [len(line) for line in found["lines"]] == [11, logs.LINE_CHARACTERS]
    assert logs.bounded(["one error", "two"], {"grep": "error", "lines": 9})["lines"] == ["one error"]
    ids = "com.docker.swarm.node.id=aaa,com.docker.swarm.task.id=0123456789abcdef"
    line = logs.readable(f"2026-11-22T19:00:00.123456789Z {ids} hello there")
    assert line == "2026-11-22T19:00:00.123 0123456789ab hello there"
    frame = b"\x01\0\0\0" + (6).to_bytes(4, "big") + b"hello\n"
    assert logs.frames(frame * 2) == ["hello", "hello"]

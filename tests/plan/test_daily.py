"""Daily work: what an operator may request, what the environment keeps of it, and how answers are judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Unit
from nexus.run.checks import Found
from nexus.run.role import Fact
from nexus.run.role_questions import STATUS, Parts, question
from nexus.run.row import Row
from roles.base.host import daily as observations
from roles.nginx.location import closed_services
from roles.service.stack import definitions
from roles.swarm.plan import plan as swarm_plan
from roles.table import ROLES
from runbooks.daily import checks, maintenance, own_checks, restart, scale
from runbooks.daily.host import logs
from runbooks.status import table
from tests.plan import status_answers
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
    kept = {"maintenance puabo-nexus": {"at": "x"}}
    assert acts(maintenance, tmp_path, kept, module="puabo-nexus", back=True) == ["Open puabo-nexus again"]
    env = environment(tmp_path)
    assert "billing-service" in closed_services(env, [module.slug for module in env.catalogue.modules])


@pytest.mark.parametrize(
    ("data", "kept", "complaint"),
    [
        ({}, {}, "name one: --data host=app2"),
        ({"host": "app1", "module": "puabo-nexus"}, {}, "name one"),
        ({"host": "data1"}, {}, "host=data1 runs no services"),
        ({"host": "ap1"}, {}, 'has no host "ap1"; did you mean "app1"'),
        ({"host": "app3"}, {"drained app1": {}, "drained app2": {}}, "no other app host would be left"),
        ({"module": "casino-nexus"}, {}, "every service of it also serves other modules"),
        ({"services": ["backend-api"]}, {}, "service=backend-api: no open route at the edge leads there"),
        ({"module": "puabo-nexs"}, {}, 'unknown module; did you mean "puabo-nexus"'),
    ],
)
def test_an_impossible_maintenance_is_refused(
    tmp_path: Path, data: dict[str, Any], kept: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(OperatorError, match=complaint):
        acts(maintenance, tmp_path, kept, **data)


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


# Checks


def found(env: Environment, **parts: Any) -> Found:
    seen = {host.name: parts.get(host.name, {}) for host in env.hosts}
    return Found(env, {}, seen, parts.get("kept", {}), time.time())


def judge(found: Found, names: list[str]) -> list[Row]:
    return checks.judge(checks.united(ROLES), found, names)


def test_all_checks_exist_and_unanswered_ones_say_so(tmp_path: Path) -> None:
    env = environment(tmp_path)
    listed = env.catalogue.operations.daily_checks
    names = {name for when in checks.TIMES for name in listed.of(when)}
    assert names - checks.united(ROLES).keys() == set()
    told = judge(found(env), ["incident-log", "incident-review"])
    assert [(line.area, line.what, line.missed) for line in told] == [
        ("incident-log", "not asked", False),
        ("incident-review", "not asked", False),
    ]


def test_checks_and_their_rows_do_not_change(tmp_path: Path) -> None:
    env = status_answers.environment(tmp_path)
    listed = env.catalogue.operations.daily_checks
    names = list(dict.fromkeys(name for when in checks.TIMES for name in listed.of(when)))
    all_found = Found(env, status_answers.answers(), status_answers.seen(), status_answers.KEPT, status_answers.NOW)
    rows = judge(all_found, [*names, "no-such-check"])
    assert status_answers.plain(rows) == status_answers.EXPECTED["daily"]
    assert status_answers.sha256(table.text(rows)) == status_answers.EXPECTED["daily text sha256"]


def test_each_check_reads_only_what_it_names(tmp_path: Path) -> None:
    """A run asks hosts for nothing else."""
    env = status_answers.environment(tmp_path)
    answers, seen, kept = status_answers.answers(), status_answers.seen(), status_answers.KEPT
    whole = Found(env, answers, seen, kept, status_answers.NOW)
    parts = {host.name: {role: question(ROLES, env, host, STATUS, [role]) for role in ROLES} for host in env.hosts}
    rows = 0
    for name, united in checks.united(ROLES).items():
        for check in united:
            told = {
                host: {part: one for part, one in answer.items() if part in _parts(parts[host], check.status)}
                for host, answer in answers.items()
            }
            read = {
                host: {part: answer[part] for part in check.reads if part in answer} for host, answer in seen.items()
            }
            narrow = Found(env, told, read, kept if check.kept else {}, status_answers.NOW)
            assert [*check.rows(narrow)] == [*check.rows(whole)], name
            rows += len([*check.rows(narrow)])
    assert rows > len(checks.united(ROLES))


def test_a_morning_run_simulates_no_update(tmp_path: Path) -> None:
    known, listed = checks.united(ROLES), environment(tmp_path).catalogue.operations.daily_checks
    read = {
        when: {part for name in listed.of(when) for check in known[name] for part in check.reads}
        for when in checks.TIMES
    }
    assert "updates" in read["security"] - read["morning"] - read["evening"]


def _parts(asked: Mapping[str, Parts], roles: Iterable[str]) -> set[str]:
    """What a host says for the status of some roles; functional checks are asked for by the role health."""
    own = {part for role in roles for part in asked[role]}
    return own | ({"functional"} if "health" in roles else set())


def test_critical_errors_and_refused_logins_miss_targets(tmp_path: Path) -> None:
    env = environment(tmp_path)
    calm = {"errors": {"count": 0, "critical": 0, "units": {}}, "logins": {"count": 0, "sources": {}}}
    access = {"requests": 1000, "5xx": 0, "4xx": 3, "services": {}}
    well = found(env, edge1={**calm, "access": access}, app1=calm)
    names = ["error-logs", "failed-logins", "access-log-errors"]
    assert not [line for line in judge(well, names) if line.missed]
    grave = {"errors": {"count": 9, "critical": 1, "units": {"x.service": 9}}, "logins": {"count": 500, "sources": {}}}
    bad = found(env, edge1={**grave, "access": {**access, "5xx": 80, "services": {"glitch": 80}}})
    missed = [line for line in judge(bad, names) if line.missed]
    assert [line.area for line in missed] == names
    assert "glitch 80" in missed[2].advice


def test_firewall_drift_and_open_windows_are_shown(tmp_path: Path) -> None:
    env = environment(tmp_path)
    rules = {"firewall": {"differs": ["firewall: rules differs"]}}
    said = found(env, edge1=rules, kept={"drained app2": {"at": "2026-11-22"}})
    told = judge(said, ["firewall-rules", "maintenance-windows"])
    assert [(line.what, line.missed) for line in told] == [("edge1", True), ("drained app2", False)]


def test_secrets_known_to_a_leaver_are_missed_until_rotated(tmp_path: Path) -> None:
    env = environment(tmp_path)
    env.secret("redis/auth-service")
    env.secrets.save()
    env.secrets._about["departed"] = [{"key": "age1x", "name": "bob", "at": "2999-01-01T00:00:00Z"}]
    assert [line.missed for line in own_checks.secrets(env)] == [True]
    env.secrets._about["departed"][0]["at"] = "2000-01-01T00:00:00Z"
    assert [line.missed for line in own_checks.secrets(env)] == [False]


def test_refused_logins_are_distinguished() -> None:
    refused = (
        "Failed publickey for root from 192.0.2.7 port 41 ssh2",
        "Invalid user admin from 192.0.2.8 port 42",
        "pam_unix(sudo:auth): authentication failure; logname= uid=1000 user=x rhost=192.0.2.9",
    )
    assert all(observations.REFUSED.search(line) for line in refused)
    assert not observations.REFUSED.search("Accepted publickey for deploy from 192.0.2.1 port 40 ssh2")

"""Daily checks: the parts that they read, their rows, and what misses a target."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.run.checks import Found
from nexus.run.role_questions import STATUS, Parts, question
from nexus.run.row import Row
from roles.base.host import daily as observations
from roles.table import ROLES
from runbooks.daily import checks, own_checks
from runbooks.status import table
from tests.plan import status_answers
from tests.plan.environments import environment


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

"""Status of certificates: what daemons show, when it expires, and how long a host can renew without a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.run.row import Row
from roles.certificate.status import rows
from tests.plan.store_environment import environment

NOW = 1_800_000_000.0
DAY = 86400
CA, LEAF = "/etc/nexus-cos/tls/ca.pem", "/etc/nexus-cos/tls/leaf.pem"
Answers = dict[str, dict[str, Any]]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return environment(tmp_path)


@pytest.fixture
def answers() -> Answers:
    """data1 shows two certificates, app1 none."""
    files = {CA: NOW + 3000 * DAY, LEAF: NOW + 59 * DAY}
    found: Answers = {
        name: {"certificates": {"files": dict(files), "shown": {}, "prepared": {"until": NOW + 700 * DAY, "late": 0.0}}}
        for name in ("app1", "data1")
    }
    found["data1"]["certificates"]["shown"] = {"redis 6379": NOW + 60 * DAY, "rabbitmq 5671": NOW + 61 * DAY}
    return found


def lines(env: Environment, answers: Answers) -> dict[str, Row]:
    return {line.what: line for line in rows(env, answers, NOW)}


def test_every_host_reports_expiry_and_prepared_leaves(env: Environment, answers: Answers) -> None:
    found = lines(env, answers)
    assert {name: line.value for name, line in found.items()} == {
        "app1": "59 days left (leaf.pem), prepared for 700 days",
        "data1": "60 days left (redis 6379), prepared for 700 days",
    }
    assert found["app1"].target == "21 days, prepared for 180 days"
    assert not any(line.missed for line in found.values())


def test_short_lifetimes_are_printed_in_minutes(tmp_path: Path, answers: Answers) -> None:
    env = environment(tmp_path, certificate_period_seconds=90, certificate_prepared_days=0.1)
    answers["app1"]["certificates"] |= {"files": {LEAF: NOW + 200}, "prepared": {"until": NOW + 8000, "late": 20.0}}
    line = lines(env, answers)["app1"]
    assert (line.value, line.target) == ("3 min left (leaf.pem), prepared for 2 h", "63 s, prepared for 36 min")
    assert not line.missed


Change = Callable[[Answers], Any]
AMISS: dict[str, tuple[Change, str, str]] = {
    "a certificate that ends soon": (
        lambda a: a["data1"]["certificates"]["shown"].update({"redis 6379": NOW + 3 * DAY}),
        "data1", "3 days left (redis 6379), prepared for 700 days -> redis 6379: see journalctl",
    ),
    "a certificate that has ended": (
        lambda a: a["data1"]["certificates"]["shown"].update({"redis 6379": "certificate has expired"}),
        "data1", "redis 6379: certificate has expired, 61 days left (rabbitmq 5671)",
    ),
    "an authority that ends soon": (
        lambda a: a["app1"]["certificates"]["files"].update({"/etc/nexus-cos/tls/ca.pem": NOW + 9 * DAY}),
        "app1 /etc/nexus-cos/tls/ca.pem", "9 days left",
    ),
    "a host that has not renewed": (
        lambda a: a["app1"]["certificates"]["prepared"].update(late=5 * 3600.0),
        "app1", "late by 5 h: see journalctl -u nexus-certificate",
    ),
    "few certificates prepared": (
        lambda a: a["app1"]["certificates"]["prepared"].update(until=NOW + 100 * DAY),
        "app1", "prepared for 100 days -> run deploys/base.py",
    ),
    "no certificates prepared": (
        lambda a: a["app1"]["certificates"].update(prepared={"error": "prepared.json is missing: run it"}),
        "app1", "nothing prepared -> prepared.json is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AMISS)
def test_missed_targets_are_named_with_their_remedy(env: Environment, answers: Answers, case: str) -> None:
    change, what, words = AMISS[case]
    change(answers)
    missed = {name: f"{line.value} -> {line.advice}" for name, line in lines(env, answers).items() if line.missed}
    assert words in missed.get(what, f"nothing, only {missed}")

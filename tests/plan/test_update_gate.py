"""Whether hosts may be updated now: rows of the status, alerts, backups, the window."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.run.row import Row
from roles.table import ROLES
from runbooks.update.gate import ENDED_BY_UPDATE, blocking, out_of_service, outside
from tests.plan.alert_cases import HOSTS, alerts
from tests.plan.environments import environment

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
GREEN = [Row("etcd", "quorum", "3 of 3"), Row("backup", "postgresql", "1 h ago")]


def alert(name: str, severity: str) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity}
    return {"ops1": {"alerts": {"alerts": [{"labels": labels, "annotations": {"summary": "it is bad"}}]}}}


def test_a_healthy_environment_may_be_updated() -> None:
    assert blocking(GREEN, {}) == []
    assert blocking([*GREEN, Row("backup", "restore", "old", "", "prove it")], {}) == []
    assert blocking([*GREEN, Row("alerts", "RebootRequired app1", "", "none", "x")], alert("X", "warning")) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Row("etcd", "quorum", "2 of 3", "", "bring data2 back"), "etcd quorum: 2 of 3. bring data2 back"),
        (Row("backup", "redis", "2 days ago", "", "make one"), "backup redis: 2 days ago. make one"),
        (Row("alerts", "ops1", "does not say", "", "no answer"), "alerts ops1: does not say. no answer"),
        (Row("alerts", "Watchdog", "does not fire", "always", "look"), "alerts Watchdog: does not fire. look"),
    ],
)
def test_a_missed_target_refuses_an_update(row: Row, told: str) -> None:
    assert blocking([*GREEN, row], {}) == [told]


def test_a_critical_alert_refuses_an_update() -> None:
    assert blocking(GREEN, alert("DiskSpaceLow", "critical")) == ["alert DiskSpaceLow: it is bad"]
    assert blocking(GREEN, alert("RebootRequired", "critical")) == []


def test_alerts_and_backups_do_not_keep_the_next_host_waiting() -> None:
    late = [Row("backup", "redis", "", "", "x"), Row("alerts", "HostDown app1", "", "none", "x")]
    assert out_of_service(late) == {}
    assert list(out_of_service([*late, Row("redis", "cache", "", "", "x")])) == [("redis", "cache")]


@pytest.mark.parametrize(("window", "allowed"), [("", True), ("8-10", True), ("22-4", False), ("22-10", True)])
def test_updates_begin_within_their_window(window: str, allowed: bool) -> None:
    told = " ".join(outside(window, NOW))
    assert ("from 22:00 to 04:00 UTC (update_window)" in told) != allowed


@pytest.mark.parametrize("window", ["22", "22-25", "night"])
def test_a_window_that_is_none_is_refused(window: str) -> None:
    with pytest.raises(OperatorError, match='write two hours of UTC, such as "22-4"'):
        outside(window, NOW)


def test_alerts_that_an_update_silences_exist(tmp_path: Path) -> None:
    env = environment(tmp_path, HOSTS)
    known = {name for found in alerts(env).values() for name in found}
    silenced = {name for module in ROLES.bringing("update").values() for name in getattr(module, "ALERTS", ())}
    assert silenced
    assert silenced <= known
    assert set(ENDED_BY_UPDATE) <= known

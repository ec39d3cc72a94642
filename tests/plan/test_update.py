"""Updates of hosts as pure data: who has a visit, in which order, what moves, what refuses, what is continued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.run.row import Row
from roles.apt.host.pending import Update
from roles.apt.host.state import DONE
from roles.table import ROLES
from runbooks.update.gate import ENDED_BY_UPDATE, blocking, check_window, out_of_service
from runbooks.update.plan import Found, Store, Visit, Wish, chosen, ordered, reboot_reason, successor, visit, with_moves
from runbooks.update.record import LEAVING, RETURNING, WAITING, Record, resumed
from tests.plan.alert_cases import HOSTS, alerts
from tests.plan.environments import environment

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
DATA = ("data1", "data2", "data3")
OPENSSL = Update("openssl", "3.5.1", "3.5.2", True)
VIM = Update("vim", "9.0", "9.1", False)
PATRONI = Update("patroni", "4.0.6", "4.0.7", True)
KERNEL = Update("linux-image-amd64", "6.12.43", "6.12.48", True)
IN_ORDER = ("patroni", "postgresql-.*")
ORDER = "security=true reboot=needed 2026-11-30T08:55:00+00:00"
TITLES = {"postgresql": "PostgreSQL", "etcd": "etcd", "redis": "Redis"}


def record(step: str, order: str = ORDER, **more: Any) -> Record:
    return Record(order, step, (NOW - timedelta(minutes=5)).isoformat(), **more)


def away(name: str, unfinished: bool = False) -> Visit:
    """A visit during which the daemons of a host stop."""
    return Visit(name, (), "reboot=always", True, unfinished)


def stores(**leaders: str) -> list[Store]:
    """Stores on all data hosts, each with its leader."""
    return [Store(name, TITLES[name], DATA, (leader,)) for name, leader in leaders.items()]


def moved(visits: list[Visit]) -> list[tuple[str, str, str]]:
    return [(one.host, store, to) for one in visits for store, to in one.moves.items()]


def test_security_updates_alone_are_taken_by_default() -> None:
    found = visit("app1", Found((OPENSSL, VIM)), Wish(), ORDER, IN_ORDER)
    assert found == Visit("app1", (OPENSSL,), "", False)


def test_all_updates_or_named_ones_are_taken() -> None:
    every = visit("app1", Found((OPENSSL, VIM)), Wish(security=False), ORDER, IN_ORDER)
    assert every
    assert every.updates == (OPENSSL, VIM)
    named = visit("app1", Found((OPENSSL, VIM)), Wish(packages=("vim",)), ORDER, IN_ORDER)
    assert named
    assert named.updates == (VIM,)


def test_a_host_without_updates_has_no_turn() -> None:
    assert visit("app1", Found((VIM,)), Wish(), ORDER, IN_ORDER) is None
    assert visit("app1", Found(reboot=("reboot-required",)), Wish(reboot="never"), ORDER, IN_ORDER) is None


def test_daemons_stop_for_their_own_package_or_a_reboot() -> None:
    for updates in ((PATRONI,), (KERNEL,)):
        found = visit("data1", Found(updates), Wish(), ORDER, IN_ORDER)
        assert found
        assert found.leaves


@pytest.mark.parametrize(
    ("updates", "due", "when", "done", "why"),
    [
        ((OPENSSL,), (), "needed", False, ""),
        ((KERNEL,), (), "needed", False, "linux-image-amd64"),
        ((), ("reboot-required",), "needed", False, "reboot-required"),
        ((KERNEL,), ("reboot-required",), "never", False, ""),
        ((), (), "always", False, "reboot=always"),
        ((), (), "always", True, ""),
    ],
)
def test_a_host_reboots_if_that_is_due(
    updates: tuple[Update, ...], due: tuple[str, ...], when: str, done: bool, why: str
) -> None:
    assert reboot_reason(updates, due, when, done) == why


def test_replicas_come_before_leaders() -> None:
    visits = [away(name) for name in ("app1", *DATA)]
    found = ordered(visits, stores(etcd="data1", postgresql="data1", redis="data2"))
    assert [one.host for one in found] == ["app1", "data3", "data2", "data1"]


def test_a_store_with_one_member_is_not_led() -> None:
    assert with_moves([away("box")], [Store("redis", "Redis", ("box",), ("box",))])[0].moves == {}


def test_one_move_of_a_store_suffices() -> None:
    now = stores(etcd="data1", postgresql="data1", redis="data1")
    found = with_moves(ordered([away(name) for name in DATA], now), now)
    assert moved(found) == [("data1", name, "data2") for name in ("etcd", "postgresql", "redis")]


@pytest.mark.parametrize("etcd", DATA)
@pytest.mark.parametrize("postgresql", DATA)
def test_each_store_moves_once_if_a_host_leads_nothing(etcd: str, postgresql: str) -> None:
    now = stores(etcd=etcd, postgresql=postgresql)
    found = moved(with_moves(ordered([away(name) for name in DATA], now), now))
    assert sorted(store for _, store, _ in found) == ["etcd", "postgresql"]


def test_a_store_moves_to_the_last_host_if_none_is_done() -> None:
    now = stores(etcd="data1", postgresql="data2", redis="data3")
    found = moved(with_moves(ordered([away(name) for name in DATA], now), now))
    assert found[0] == ("data1", "etcd", "data3")
    assert [store for _, store, _ in found].count("postgresql") == 1


def test_another_instance_of_a_store_attracts_the_move() -> None:
    both = Store("redis", "Redis", DATA, ("data1", "data3"))
    assert successor(both, "data1", []) == "data3"
    assert successor(both, "data1", ["data3"]) == "data2"


def test_a_turn_without_a_stop_moves_nothing() -> None:
    now = stores(postgresql="data1")
    found = with_moves([Visit("data1", (OPENSSL,), "", False)], now)
    assert moved(found) == []
    assert found[0].told(TITLES) == "Update data1: openssl 3.5.1 -> 3.5.2; no reboot"


def test_a_turn_is_told_with_all_that_happens() -> None:
    found = Visit("data1", (KERNEL,), "linux-image-amd64", True, moves={"postgresql": "data2"})
    assert found.told(TITLES) == (
        "Update data1: PostgreSQL moves to data2 first; linux-image-amd64 6.12.43 -> 6.12.48; "
        "then reboot it (linux-image-amd64)"
    )


def test_an_interrupted_update_is_continued() -> None:
    records = {"app1": record(DONE), "app2": record(RETURNING), "app3": record(WAITING), "ops1": None}
    assert resumed(records, str(Wish()), NOW) == ORDER


@pytest.mark.parametrize(
    ("records", "now"),
    [
        ({"app1": record(DONE), "app2": record(DONE)}, NOW),
        ({"app1": record(WAITING, "security=false reboot=always 2026-11-30T08:55:00+00:00")}, NOW),
        ({"app1": record(WAITING)}, NOW + timedelta(days=2)),
        ({"app1": None}, NOW),
    ],
)
def test_another_update_is_not_continued(records: dict[str, Record | None], now: datetime) -> None:
    assert resumed(records, str(Wish()), now) == ""


def test_a_host_that_was_left_comes_first() -> None:
    found = visit("app2", Found(record=record(LEAVING, drained=True)), Wish(), ORDER, IN_ORDER)
    assert found
    assert found.unfinished
    assert [one.host for one in ordered([away("app1"), found], [])] == ["app2", "app1"]


@pytest.mark.parametrize("kept", [record(DONE), record(RETURNING, rebooted=True)])
def test_a_continued_update_reboots_no_host_twice(kept: Record) -> None:
    wish = Wish(reboot="always")
    found = visit("app1", Found(record=kept), wish, ORDER, IN_ORDER)
    assert found is None or found.why == ""
    assert visit("app1", Found(record=kept), wish, "a later one", IN_ORDER) is not None


def test_a_record_is_read_as_it_was_written() -> None:
    one = record(LEAVING, drained=True)
    assert Record.of(one.value()) == one
    assert Record.of({}) is None
    assert Record.of({**one.value(), "later": 1}) == one


def test_a_step_keeps_what_was_rebooted() -> None:
    after = record(LEAVING).at_step(RETURNING, NOW, rebooted=True).at_step(DONE, NOW)
    assert (after.rebooted, after.drained, after.step) == (True, False, DONE)


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
    if allowed:
        check_window(window, NOW)
    else:
        with pytest.raises(OperatorError, match=r"from 22:00 to 04:00 UTC \(update_window\)"):
            check_window(window, NOW)


@pytest.mark.parametrize("window", ["22", "22-25", "night"])
def test_a_window_that_is_none_is_refused(window: str) -> None:
    with pytest.raises(OperatorError, match='write two hours of UTC, such as "22-4"'):
        check_window(window, NOW)


def test_hosts_are_chosen_by_name_or_group() -> None:
    groups = {"data": DATA, "edge": ["edge1"]}
    assert chosen(["edge1", *DATA], groups, "", "") == ["edge1", *DATA]
    assert chosen(["edge1", *DATA], groups, "data2", "") == ["data2"]
    assert chosen(["edge1", *DATA], groups, "", "data") == list(DATA)
    with pytest.raises(OperatorError, match="group=date: no host"):
        chosen(["edge1", *DATA], groups, "", "date")
    with pytest.raises(OperatorError, match="name one"):
        chosen(["edge1", *DATA], groups, "data2", "data")


def test_every_store_that_elects_a_leader_hands_it_over() -> None:
    known = ROLES.bringing("update")
    assert {module.STORE for module in known.values()} == {"etcd", "postgresql", "redis", "rabbitmq"}
    assert all(callable(module.leaders) and callable(module.move) for module in known.values())
    assert list(known).index("etcd") < list(known).index("postgresql")  # Patroni keeps its key while etcd elects


def test_alerts_that_an_update_silences_exist(tmp_path: Path) -> None:
    env = environment(tmp_path, HOSTS)
    known = {name for found in alerts(env).values() for name in found}
    silenced = {name for module in ROLES.bringing("update").values() for name in getattr(module, "ALERTS", ())}
    assert silenced
    assert silenced <= known
    assert set(ENDED_BY_UPDATE) <= known

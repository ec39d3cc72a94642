"""Updates of hosts as pure data: who has a visit, in which order, what moves, what refuses, what is continued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.apt.host.pending import Update
from roles.apt.host.state import DONE, WAITING
from roles.table import ROLES
from runbooks.update.plan import Found, Store, Visit, Wish, chosen, ordered, reboot_reason, successor, visit, with_moves
from runbooks.update.record import LEAVING, RETURNING, Record, resumed

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

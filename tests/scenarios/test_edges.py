"""Two edge hosts on the wide lab: one is lost under load, its Nginx stops, and the address that they share moves."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from conftest import Figure, whole
from control import Control
from edge_load import EdgeLoad

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until
from roles.keepalived.plan import shared_address

SETTLE_SECONDS, AFTER_SECONDS = 4, 12
MOVE_SECONDS = 10  # at most, without an answer at the shared address
BACK_SECONDS = 180
ROUNDS_FULL = 5


@pytest.fixture(scope="module")
def wide(pytestconfig: pytest.Config) -> Iterator[Control]:
    """The wide lab as planned, before the first and after the last test."""
    for control, outcome in whole("lab_wide", pytestconfig):
        assert outcome.status == 0, outcome.end
        yield control
        lab.up(control.lab)
        done = control.converged()
        assert done.changes == [], done.changes


def addresses(control: Control) -> list[str]:
    return [control.lab.host(name).address for name in control.group("edge")]


def shared(control: Control) -> str:
    found = shared_address(control.planned)
    assert found, "the wide lab has no shared address"
    return str(found.ip)


def holders(control: Control) -> list[str]:
    """Running edge hosts that have the shared address."""
    found = []
    for name in control.group("edge"):
        if control.host(name).answers() and f" {shared(control)}/" in control.ssh(name, "ip -4 -o address show"):
            found.append(name)
    return found


def one_holder(control: Control) -> str:
    assert wait_until(lambda: len(holders(control)) == 1, BACK_SECONDS, pause=1), f"held by {holders(control)}"
    return holders(control)[0]


def test_an_edge_host_lost_costs_clients_with_both_addresses_nothing(wide: Control, figure: Figure) -> None:
    victim = one_holder(wide)
    with EdgeLoad(wide, addresses(wide)) as load:
        time.sleep(SETTLE_SECONDS)
        wide.host(victim).kill()
        time.sleep(AFTER_SECONDS)
    lab.up(wide.lab)
    figure("edges: requests that the other edge host answered", load.moved)
    assert load.moved > 0, "no client was at the lost edge host"
    assert load.lost == [], f"{len(load.lost)} of {len(load.answered) + len(load.lost)}: {load.lost[:3]}"
    assert wait_until(wide.host(victim).answers, BACK_SECONDS)


def test_the_shared_address_moves_when_its_host_is_lost(wide: Control, full: bool, figure: Figure) -> None:
    for _ in range(ROUNDS_FULL if full else 1):
        victim = one_holder(wide)
        with EdgeLoad(wide, [shared(wide)]) as load:
            time.sleep(SETTLE_SECONDS)
            wide.host(victim).kill()
            time.sleep(AFTER_SECONDS)
        figure("edges: shared address without an answer, its host lost", load.longest_gap)
        assert load.longest_gap < MOVE_SECONDS
        assert one_holder(wide) != victim
        lab.up(wide.lab)
        assert wait_until(wide.host(victim).answers, BACK_SECONDS)


def test_an_edge_host_without_nginx_gives_the_address_up(wide: Control, figure: Figure) -> None:
    victim = one_holder(wide)
    with EdgeLoad(wide, [shared(wide)]) as load:
        time.sleep(SETTLE_SECONDS)
        wide.ssh(victim, "sudo systemctl stop nginx")
        try:
            time.sleep(AFTER_SECONDS)
            assert victim not in holders(wide)
            taker = one_holder(wide)
        finally:
            wide.ssh(victim, "sudo systemctl start nginx")
        time.sleep(SETTLE_SECONDS)
        assert one_holder(wide) == taker, "the address moved a second time"
    figure("edges: shared address without an answer, its Nginx stopped", load.longest_gap)
    assert load.longest_gap < MOVE_SECONDS

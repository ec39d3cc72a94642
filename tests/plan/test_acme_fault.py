"""The program of ops hosts when answers are lost, authorities are away or refuse, and edge hosts do not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.pki.ca import Authority
from tests.plan.acme_authority import reason_to_skip
from tests.plan.acme_edge import DOMAIN
from tests.plan.acme_world import World, running

pytestmark = [pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-"), pytest.mark.timeout(600)]


@pytest.fixture
def world(tmp_path: Path, authority: Authority) -> Iterator[World]:
    with running(tmp_path, authority) as made:
        yield made


def test_broken_answers_cost_at_most_two_orders(world: World) -> None:
    world.first.bad_nonces = 20
    world.first.restart()
    world.configure(directories=[world.first.url])
    assert world.run()[0] == 0
    faults, made = world.first.faults, []
    lost = ["/finalize-order/", "/order-plz", "/chalZ/", "/certZ/", "/sign-me-up", "/my-order/"]
    for path in lost:
        faults.busy, faults.lost = 0.3, {path}
        world.due()
        before, serial = world.first.orders, world.record()["serial"]
        for _ in range(3):
            _, said = world.run()
            if world.record()["serial"] != serial:
                break
        assert world.record()["serial"] != serial, (path, said)
        made.append(world.first.orders - before)
        assert not faults.lost, path
    assert max(made) <= 2
    assert sum(made) <= len(lost) + 1  # only the lost answer to a new order costs a second one
    faults.busy = 0.0
    assert world.run()[0] == 0
    assert world.serials() == {world.record()["serial"]}


def test_an_authority_that_forgets_is_given_another_order(world: World) -> None:
    world.first.faults.on_path["/authZ/"] = world.first.restart
    status, said = world.run()
    assert status == 0, said
    assert world.first.orders == 2
    assert world.serials() == {world.record()["serial"]}


def test_an_interrupted_order_is_finished_by_the_next_start(world: World) -> None:
    def vanish() -> None:
        world.first.faults.away = True

    world.first.faults.on_path["/finalize-order/"] = vanish
    world.configure(directories=[world.first.url])
    status, said = world.run()
    assert status == 1
    assert "does not answer" in said or "was lost" in said
    assert world.record()["open"][world.first.url]["names"] == [DOMAIN, f"api.{DOMAIN}"]
    world.first.faults.away = False
    status, said = world.run()
    assert status == 0, said
    assert world.first.orders == 1
    assert world.record()["open"] == {}
    assert world.serials() == {world.record()["serial"]}


def test_the_second_authority_is_asked_if_the_first_is_away(tmp_path: Path, authority: Authority) -> None:
    with running(tmp_path, authority, edges=1) as world:
        second = world.second
        second.start()
        world.first.faults.away = True
        status, said = world.run()
        assert status == 0, said
        assert (world.first.orders, second.orders) == (0, 1)
        assert world.record()["pair"]["authority"] == second.url
        assert world.record()["failures"][world.first.url]["count"] == 0  # it may be asked again at once


def test_a_refusal_is_not_repeated_at_once(world: World) -> None:
    world.configure(directories=[world.first.url])
    world.dns.tell("set-default-ipv4", {"ip": world.place.address(99)})  # where nobody listens
    status, said = world.run()
    assert status == 1
    assert "could not validate" in said
    assert world.first.orders == 1
    status, said = world.run()
    assert status == 1
    assert "Not asked again before" in said
    assert world.first.orders == 1
    failed = world.record()["failures"][world.first.url]
    assert 800 < failed["again"] - time.time() <= 900
    world.dns.tell("set-default-ipv4", {"ip": world.place.address(11)})
    status, said = world.run("ops1", "now")  # an operator has repaired it
    assert status == 0, said
    assert (world.record()["failures"], "failing_since" in world.record()) == ({}, False)


def test_edge_hosts_are_asked_before_the_authority(world: World) -> None:
    world.configure(directories=[world.first.url])
    world.edges[0].stop()
    world.edges[1].thumbprint = "of-another-account"
    status, said = world.run()
    assert status == 1
    assert "edge2: port" in said
    assert "does not answer challenges of this account" in said
    assert world.first.faults.count("POST /chalZ/") == 0
    world.edges[1].thumbprint = world.edges[2].thumbprint
    world.dns.tell("set-default-ipv4", {"ip": world.edges[1].host.address})
    status, said = world.run("ops1", "now")  # edge1 stays away: the others have it, and that is told
    assert status == 1
    assert "edge1" in said
    assert world.serials() == {world.record()["serial"]}
    world.edges[0].start()
    assert world.run()[0] == 0
    assert world.edges[0].serial() == world.record()["serial"]
    assert world.record()["orders"] == 2


def test_a_refused_reload_leaves_the_former_certificate(world: World) -> None:
    assert world.run()[0] == 0
    before = world.record()["serial"]
    world.edges[1].refuse(True)
    world.due()
    status, said = world.run()
    assert status == 1
    assert "edge2: nginx.service did not take the new certificate" in said
    assert "Nginx refuses" in said
    now = world.record()["serial"]
    assert [edge.serial() for edge in world.edges] == [now, before, now]
    world.edges[1].refuse(False)
    assert world.run()[0] == 0
    assert world.serials() == {now}
    assert world.first.orders == 2

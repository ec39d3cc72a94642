"""The program of ops hosts against a real authority: one order, the same certificate on every edge host."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import ssl
import stat
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


def test_one_order_serves_all_edge_hosts(world: World) -> None:
    internal = world.serials()
    status, said = world.run()
    assert status == 0, said
    assert world.first.orders == 1
    record = world.record()
    assert world.serials() == {record["serial"]}
    assert record["serial"] not in internal
    assert record["names"] == sorted([DOMAIN, f"api.{DOMAIN}"])
    assert all(edge.public for edge in world.edges)
    keys = [world.directory / "ops1/state/record.json", *(edge.current / "key.pem" for edge in world.edges)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert "PRIVATE KEY" not in said
    assert b"PRIVATE KEY" not in b"".join((edge.place / "door.log").read_bytes() for edge in world.edges)

    # again: nothing to do; an edge host without it: delivered; another ops host, or none that knows it: no order
    assert world.run()[0] == 0
    assert [edge.reloads() for edge in world.edges] == [1, 1, 1]
    fresh = world.edges[2]
    fresh.current.unlink()
    fresh.current.symlink_to("internal")
    assert not fresh.public
    assert world.run("ops2") == (
        0,
        f"took over serial {record['serial']} from edge1\nedge3 shows serial {record['serial']}\n",
    )
    (world.directory / "ops1/state/record.json").unlink()
    assert world.run("ops1", "now")[0] == 0
    assert world.serials() == {record["serial"]}
    assert world.first.orders == 1

    # renewed: another key, both directories of the last two certificates stay
    world.due()
    status, said = world.run()
    assert status == 0, said
    renewed = world.record()
    assert world.serials() == {renewed["serial"]} != {record["serial"]}
    assert renewed["pair"]["key"] != record["pair"]["key"]
    assert len(list((world.edges[0].place / "etc/acme").iterdir())) == 4


def test_a_stand_by_orders_only_once_it_is_late(world: World) -> None:
    status, said = world.run("ops2")
    assert (status, world.first.orders) == (0, 0), said
    path = world.directory / "ops2/state/record.json"
    known = json.loads(path.read_text())
    path.write_text(json.dumps({**known, "lacking_since": time.time() - 601}))
    status, said = world.run("ops2")
    assert (status, world.first.orders) == (0, 1), said
    assert world.run("ops1")[0] == 0
    assert world.first.orders == 1


def test_renewal_information_decides(world: World) -> None:
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)
    world.first.faults.window = (now + day, now + 2 * day)
    assert world.run()[0] == 0
    assert world.run()[0] == 0  # asks, and waits
    assert world.first.orders == 1
    told = world.record()["information"]
    assert told["start"] == pytest.approx((now + day).timestamp())
    # the authority's six hours are too long for a revocation
    assert 500 < world.record()["ask_again"] - time.time() <= 600
    world.first.faults.window = (now - 2 * day, now - day)
    world.run()
    assert world.first.orders == 1  # not asked yet
    world.change_record(ask_again=0)
    status, said = world.run()
    assert status == 0, said
    assert "the authority recommends it" in said
    assert world.first.orders == 2


def test_an_authority_with_another_issuer_gives_the_next_one(world: World) -> None:
    """It refuses an order that replaces a certificate of an issuer that it does not know."""
    world.first.faults.window = (dt.datetime.now(dt.UTC), dt.datetime.now(dt.UTC) + dt.timedelta(days=9))
    assert world.run()[0] == 0
    assert world.first.orders == 1
    world.first.faults.another_issuer = True
    world.due()
    status, said = world.run()
    assert status == 0, said
    assert world.first.faults.count("refused: replaces") == 1
    assert world.first.orders == 2


def test_caa_records_are_read_before_an_order(world: World) -> None:
    world.configure(directories=[world.first.url])
    world.first.faults.identities = ["authority.example"]
    world.dns.tell("add-caa", {"host": f"{DOMAIN}.", "policies": [{"tag": "issue", "value": "other.example"}]})
    status, said = world.run()
    assert status == 1
    assert f'add the record {DOMAIN} CAA 0 issue "authority.example"' in said
    assert world.first.orders == 0
    world.dns.tell("clear-caa", {"host": f"{DOMAIN}."})
    world.dns.tell("add-caa", {"host": f"{DOMAIN}.", "policies": [{"tag": "issue", "value": "authority.example"}]})
    status, said = world.run("ops1", "now")
    assert status == 0, said


def test_staging_comes_first(tmp_path: Path, authority: Authority) -> None:
    with running(tmp_path, authority, edges=1) as world:
        staging = world.second
        staging.start()
        world.configure(directories=[world.first.url], staging=staging.url)
        world.dns.tell("set-default-ipv4", {"ip": world.place.address(99)})
        assert world.run()[0] == 1
        assert (staging.orders, world.first.orders) == (1, 0)
        world.dns.tell("set-default-ipv4", {"ip": world.place.address(11)})
        status, said = world.run("ops1", "now")
        assert status == 0, said
        assert (staging.orders, world.first.orders) == (2, 1)
        assert world.record()["pair"]["authority"] == world.first.url
        world.due()
        assert world.run()[0] == 0
        assert (staging.orders, world.first.orders) == (2, 2)  # a renewal has nothing new to try


def test_an_authority_that_gives_accounts(tmp_path: Path, authority: Authority) -> None:
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    with running(tmp_path, authority, edges=1) as world:
        world.configure(directories=[world.first.url])
        world.first.external = {"kid-1": key}
        world.first.restart()
        status, said = world.run()
        assert status == 1
        assert "set acme_external_accounts" in said
        world.configure(external={world.first.url: {"id": "kid-1", "key": key}})
        status, said = world.run("ops1", "now")
        assert status == 0, said


def test_only_ops_hosts_are_answered(world: World) -> None:
    assert world.run()[0] == 0
    edge, env = world.edges[0], world.env
    leaf = env.tls.leaf(["app1"])
    pem = world.directory / "app1.pem"
    pem.write_text(leaf.certificate + leaf.key)
    trusting = ssl.create_default_context(cadata=env.tls.certificate)
    place = (edge.host.address, env.setting.acme_port)

    def ask(context: ssl.SSLContext, line: bytes) -> str:
        with socket.create_connection(place, 60) as raw, context.wrap_socket(raw, server_hostname=place[0]) as session:
            session.sendall(line)
            return session.makefile().readline()

    with contextlib.suppress(OSError):  # TLS 1.3 may tell a client only after its request
        assert ask(trusting, b'{"do": "give"}\n') == ""
    trusting.load_cert_chain(pem)
    assert json.loads(ask(trusting, b'{"do": "give"}\n')) == {
        "error": "app1 is not an ops host of this environment: run deploys/edge.py"
    }
    tls = world.directory / "ops1/etc/tls"
    trusting.load_cert_chain(tls / "leaf.pem", tls / "leaf.key")
    assert json.loads(ask(trusting, b'{"do": "x"}\n')) == {"error": "the request is malformed: run deploys/edge.py"}
    other = env.tls.leaf(["x"])
    request = {"do": "take", "chain": leaf.certificate, "key": other.key, "authority": ""}
    assert "do not match" in json.loads(ask(trusting, json.dumps(request).encode() + b"\n"))["error"]
    assert world.serials() == {world.record()["serial"]}

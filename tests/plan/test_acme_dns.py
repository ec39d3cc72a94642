"""Names proven in DNS: changes by RFC 2136 that a real authority sees, a delegation, and Route 53."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from acme import challenges
from dns import name, tsig
from josepy.jwk import JWKEC

from nexus.pki.ca import Authority
from roles.acme.host.renewer.dns_proof import DnsProof, Route53Zone, UpdatedZone
from roles.acme.host.renewer.failure import OrderError
from roles.acme.host.renewer.leaf import new_key
from roles.acme.host.renewer.proof import Shown
from roles.acme.host.renewer.servers import place
from tests.plan.acme_authority import reason_to_skip
from tests.plan.acme_edge import DOMAIN
from tests.plan.acme_world import World, running
from tests.plan.aws_cloud import Account
from tests.plan.dns_primary import Primary
from tests.plan.loopback import Place

SECRET = base64.b64encode(b"a key of 32 bytes for the tests.").decode()
ZONE = "challenges.example.net"


@pytest.fixture
def primary() -> Iterator[tuple[Primary, str]]:
    """A primary server, and its place."""
    found = Place()
    address, port = found.address(40), found.ports[11]
    key = tsig.Key("acme.", SECRET, "hmac-sha256")
    made = Primary(address, port, ZONE, key, found.address(11))
    yield made, f"{address}:{port}"
    made.close()
    found.close()


def zone(server: str, **changed: Any) -> UpdatedZone:
    config = {"zone": ZONE, "server": server, "key_name": "acme", "key": SECRET, "key_algorithm": "hmac-sha256"}
    return UpdatedZone({**config, "wait_seconds": 0, **changed})


def wanted(domain: str) -> list[Shown]:
    return [(domain, challenges.DNS01(token=b"x" * 16), JWKEC.load(new_key().encode()))]


@pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")
@pytest.mark.timeout(300)
def test_a_wildcard_is_ordered_through_a_delegation(
    tmp_path: Path, authority: Authority, primary: tuple[Primary, str]
) -> None:
    server, where = primary
    server.aliases[name.from_text(f"_acme-challenge.{DOMAIN}")] = f"{DOMAIN}.{ZONE}."
    with running(tmp_path, authority, edges=1) as world:
        _prove_by(world, where)
        status, said = world.run()
        assert status == 0, said
        assert world.record()["names"] == [f"*.{DOMAIN}", DOMAIN]
        assert world.edges[0].challenges == 0
    assert len(server.seen) == 2
    assert set().union(*server.texts.values()) == set()  # removed again


def _prove_by(world: World, where: str) -> None:
    proof: dict[str, Any] = {"kind": "dns-rfc2136", "zone": ZONE, "server": where, "key_name": "acme", "key": SECRET}
    proof |= {"key_algorithm": "hmac-sha256", "wait_seconds": 0}
    world.configure(names=[DOMAIN, f"*.{DOMAIN}"], proof=proof, resolvers=[where], directories=[world.first.url])
    world.first.dns = where
    world.first.restart()


def test_a_wrong_key_is_refused(primary: tuple[Primary, str]) -> None:
    other = base64.b64encode(b"another key").decode()
    with pytest.raises(OrderError, match="check its update policy"):
        zone(primary[1], key=other).add({f"a.{ZONE}.": ["x"]})


def test_another_zone_is_refused(primary: tuple[Primary, str]) -> None:
    with pytest.raises(OrderError, match=r"refuses the change of other\.example: NOTAUTH"):
        zone(primary[1], zone="other.example").add({"a.other.example.": ["x"]})


def test_a_name_outside_of_the_zone_needs_a_delegation(primary: tuple[Primary, str]) -> None:
    proof = DnsProof(zone(primary[1]), ZONE, [primary[1]])
    with (
        pytest.raises(OrderError, match=f"_acme-challenge.{DOMAIN} CNAME _acme-challenge.{DOMAIN}.{ZONE}"),
        proof.shown(wanted(DOMAIN)),
    ):
        pass


def test_records_are_removed_after_a_failure(primary: tuple[Primary, str]) -> None:
    server, where = primary
    proof = DnsProof(zone(where), ZONE, [where])
    refused = OrderError("no")
    with contextlib.suppress(OrderError), proof.shown(wanted(f"a.{ZONE}")):
        assert sum(map(len, server.texts.values())) == 1
        raise refused
    assert sum(map(len, server.texts.values())) == 0


def test_route_53(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("route53", region_name="us-east-1")
    made = client.create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"]
    found = Route53Zone({"id": made, "credentials": ""})

    def texts() -> list[str]:
        records = client.list_resource_record_sets(HostedZoneId=made)["ResourceRecordSets"]
        return [one["Value"] for each in records if each["Type"] == "TXT" for one in each["ResourceRecords"]]

    record = {f"_acme-challenge.a.{ZONE}.": ["one", "two"]}
    found.add(record)
    assert texts() == ['"one"', '"two"']
    found.remove(record)
    assert texts() == []
    with pytest.raises(OrderError, match="acme_route53_zone"):
        Route53Zone({"id": "/hostedzone/NONE", "credentials": ""}).add(record)


def test_places_of_servers() -> None:
    assert [place(each) for each in ("10.0.0.1", "10.0.0.1:5353", "[fd00::1]:5353", "fd00::1")] == [
        ("10.0.0.1", 53),
        ("10.0.0.1", 5353),
        ("fd00::1", 5353),
        ("fd00::1", 53),
    ]

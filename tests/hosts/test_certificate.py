"""Certificates: daemons show those that lie on disk, and hosts renew them without a run."""

from __future__ import annotations

import time

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF, UNIT
from roles.certificate.prepared import KEPT, seconds
from roles.certificate.status import all_doors

testinfra_hosts = ["all"]


def test_daemons_show_what_lies_on_disk(fleet: Fleet, hostname: str) -> None:
    found = fleet.answer(hostname, "certificate")["doors"]
    assert set(found) == {str(door) for door in all_doors(fleet.env, fleet.env.host(hostname))}
    wrong = [f"{door} shows {there}, on disk is {wanted}" for door, (there, wanted) in found.items() if there != wanted]
    assert not wrong, f"{hostname}: {'; '.join(wrong)}"


def test_the_host_renews_by_itself(host):
    assert host.service(f"{UNIT}.timer").is_running
    assert host.service(f"{UNIT}.timer").is_enabled
    assert host.service(f"{UNIT}.service").is_enabled  # at boot, before the daemons


def test_leaf_is_of_the_internal_authority(host):
    assert host.run(f"openssl verify -CAfile {CA} {LEAF}").succeeded


def test_leaf_lasts_for_another_period(host, setting):
    assert host.run(f"openssl x509 -noout -checkend {setting.certificate_period_seconds} -in {LEAF}").succeeded


def test_key_is_for_its_group(host):
    key = host.file(KEY)
    assert (key.user, key.group, key.mode) == ("root", KEY_GROUP, 0o640)


@pytest.mark.planned("certificate")
def test_what_is_prepared_lasts_and_is_closed(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = fleet.answer(item.host, "certificate")
    assert found["mode"] == "0o600", f"{item.host}: prepared keys have mode {found['mode']}"
    least = KEPT * seconds(fleet.env) - 86400  # until now, of what was asked for when they were prepared
    short = [end for end in found["prepared"] if end - time.time() < least]
    assert found["prepared"]
    assert not short, f"{item.host}: certificates are prepared until {time.ctime(min(short))} alone"

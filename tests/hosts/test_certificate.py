"""Certificates: daemons show those that lie on disk, and hosts renew them without a run."""

from __future__ import annotations

import time

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.certificate.plan import UNIT
from roles.certificate.prepared import KEPT, seconds
from roles.certificate.status import all_doors


@pytest.mark.hosts
def test_daemons_show_what_lies_on_disk(fleet: Fleet, host: str) -> None:
    found = fleet.answer(host, "certificate")["doors"]
    assert set(found) == {str(door) for door in all_doors(fleet.env, fleet.env.host(host))}
    wrong = [f"{door} shows {there}, on disk is {wanted}" for door, (there, wanted) in found.items() if there != wanted]
    assert not wrong, f"{host}: {'; '.join(wrong)}"


@pytest.mark.hosts
def test_the_host_renews_by_itself(fleet: Fleet, host: str) -> None:
    unit = fleet.seen(host).units[f"{UNIT}.timer"]
    assert unit["ActiveState"] == "active", f"{host}: {UNIT}.timer is {unit['ActiveState']}"
    enabled = fleet.seen(host).units[f"{UNIT}.service"]["UnitFileState"]
    assert enabled == "enabled", f"{host}: {UNIT}.service is {enabled}, so nothing renews at boot"


@pytest.mark.planned("certificate")
def test_what_is_prepared_lasts_and_is_closed(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = fleet.answer(item.host, "certificate")
    assert found["mode"] == "0o600", f"{item.host}: prepared keys have mode {found['mode']}"
    least = KEPT * seconds(fleet.env) - 86400  # until now, of what was asked for when they were prepared
    short = [end for end in found["prepared"] if end - time.time() < least]
    assert found["prepared"]
    assert not short, f"{item.host}: certificates are prepared until {time.ctime(min(short))} alone"

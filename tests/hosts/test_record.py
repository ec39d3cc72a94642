"""The record and the lock from outside: for root alone, whole, and no run left behind."""

from __future__ import annotations

import hashlib
import json

import pytest
from testinfra.host import Host as Machine

from hosts.fleet import Fleet
from nexus.audit.storage import places
from nexus.lock.lease import anchors
from roles.table import ROLES

PLACE = "/var/lib/nexus-cos"


@pytest.mark.hosts
def test_the_record_is_a_whole_chain_for_root_alone(fleet: Fleet, host: str, found_machine: Machine) -> None:
    if host != places(fleet.env)[0]:
        pytest.skip("the record is kept elsewhere")
    with found_machine.sudo():
        directory = found_machine.file(f"{PLACE}/record")
        assert (directory.user, directory.mode) == ("root", 0o700)
        names = sorted(directory.listdir())
        texts = [found_machine.file(f"{PLACE}/record/{name}").content_string for name in names]
        modes = {name: oct(found_machine.file(f"{PLACE}/record/{name}").mode) for name in names}
    assert set(modes.values()) == {"0o600"}, f"{host}: {modes}"
    previous = ""
    for number, line in enumerate("".join(texts).splitlines(), 1):
        assert json.loads(line)["previous"] == previous, f"{host}: line {number} does not follow the one before"
        previous = hashlib.sha256(line.encode()).hexdigest()
    assert previous, f"{host}: nothing is on record, and yet it was deployed"


@pytest.mark.hosts
def test_no_host_has_seen_a_run_that_never_had_the_lock(fleet: Fleet, host: str, found_machine: Machine) -> None:
    first = anchors(fleet.env, ROLES)[0]
    if host != first:
        pytest.skip("the lock is kept elsewhere")
    with found_machine.sudo():
        lock = json.loads(found_machine.file(f"{PLACE}/lock.json").content_string)
        seen = json.loads(found_machine.file(f"{PLACE}/fence.json").content_string)
    assert seen["run"] <= lock["number"], f"{host}: it has seen run {seen['run']}, the lock is at {lock['number']}"
    assert lock["holder"] is None, f"{host}: the lock is held by {lock['holder']}"

"""The record and the lock from outside: for root alone, whole, and no run left behind."""

from __future__ import annotations

import hashlib
import json

import pytest

from hosts.fleet import Fleet
from nexus.audit.storage import places, second
from nexus.lock.lease import anchors
from roles.table import ROLES

PLACE = "/var/lib/nexus-cos"


@pytest.mark.parametrize("copy", ["first copy", "second copy"])
def test_the_record_is_a_whole_chain_for_root_alone(fleet: Fleet, copy: str) -> None:
    hostname = places(fleet.env)[0]
    if copy == "second copy":
        hostname = second(fleet.env, hostname) or pytest.skip("no other host keeps a copy of the record")
    host = fleet.machine(hostname)
    directory = host.file(f"{PLACE}/record")
    assert (directory.user, directory.mode) == ("root", 0o700)
    names = sorted(directory.listdir())
    texts = [host.file(f"{PLACE}/record/{name}").content_string for name in names]
    modes = {name: oct(host.file(f"{PLACE}/record/{name}").mode) for name in names}
    assert set(modes.values()) == {"0o600"}, f"{hostname}: {modes}"
    previous = ""
    for number, line in enumerate("".join(texts).splitlines(), 1):
        assert json.loads(line)["previous"] == previous, f"{hostname}: line {number} does not follow the one before"
        previous = hashlib.sha256(line.encode()).hexdigest()
    assert previous, f"{hostname}: nothing is on record, and yet it was deployed"


def test_no_host_has_seen_a_run_that_never_had_the_lock(fleet: Fleet) -> None:
    hostname = anchors(fleet.env, ROLES)[0]
    host = fleet.machine(hostname)
    lock = json.loads(host.file(f"{PLACE}/lock.json").content_string)
    seen = json.loads(host.file(f"{PLACE}/fence.json").content_string)
    assert seen["run"] <= lock["number"], f"{hostname}: it has seen run {seen['run']}, the lock is at {lock['number']}"
    assert lock["holder"] is None, f"{hostname}: the lock is held by {lock['holder']}"

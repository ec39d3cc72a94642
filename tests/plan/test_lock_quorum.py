"""The lock in a real etcd on loopback: one holder for all hosts, with lost members and a lock moved from a file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.lock.host import lock
from roles.etcd.host import state as etcd
from tests.plan.test_etcd_cluster import Hosts

pytestmark = pytest.mark.skipif(not shutil.which("etcd"), reason="etcd is not installed here")
SECONDS = 8  # duration of a lease: two renewals may be this late on a busy machine
DEADLINE_SECONDS = 10 * SECONDS


class Anchors(Hosts):
    """The same hosts, each with its own lock file."""

    def ask(self, place: str, action: str, who: str = "mina", **more: Any) -> dict[str, Any]:
        """The answer of the lock on one host."""
        lock.FILE = str(self.directory / f"{place}.lock")
        own = self.whole.host(place).address
        port = self.whole.setting.etcd_client_port
        addresses = [own, *(host.address for host in self.whole.hosts if host.address != own)]
        quorum = {
            "endpoints": [f"{address}:{port}" for address in addresses],
            "tls": self.context(place, {})["tls"],
            "directory": self.place(place),
        }
        holder = {"token": who, "who": who, "since": "now", "purpose": "deploys/full.py"}
        context = {"etcd": quorum, "seconds": SECONDS, "holder": holder, "floor": 0, "number": 1, **more}
        return getattr(lock, action)(context)


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Anchors]:
    for name in ("STATE", "FILE", "TURN"):
        monkeypatch.setattr(lock, name, str(tmp_path / "state" / name))
    monkeypatch.setattr("nexus.lock.host.etcd_lock.SECONDS", 2)
    monkeypatch.setattr("nexus.lock.host.etcd_lock.PATIENCE_SECONDS", 6)
    found = Anchors(tmp_path)
    monkeypatch.setattr(etcd, "run", found.systemctl)
    yield found
    found.close()


def test_one_holder_whichever_host_is_asked(hosts: Anchors) -> None:
    hosts.lay_all()
    assert hosts.ask("data1", "take") == {"number": 1, "where": "etcd", "silent": False}
    assert hosts.ask("data2", "take", "noor")["held"]["who"] == "mina"
    assert hosts.ask("data3", "look")["holder"]["who"] == "mina"
    hosts.ask("data1", "release")
    assert hosts.ask("data2", "take", "noor")["number"] == 2


def test_only_a_dead_holders_lease_ends(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.ask("data1", "take")
    end = time.monotonic() + 1.5 * SECONDS
    while time.monotonic() < end:
        time.sleep(1)
        assert "lost" not in hosts.ask("data1", "renew")
        assert "held" in hosts.ask("data2", "take", "noor")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "held" in (found := hosts.ask("data2", "take", "noor")) or found["silent"]:  # etcd may be slow here
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found["number"] == 2
    assert "noor has held it since" in hosts.ask("data1", "renew")["lost"]


def test_a_holder_that_slept_continues_if_nobody_took_it(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.ask("data1", "take")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while hosts.ask("data2", "look")["holder"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "lost" not in hosts.ask("data1", "renew")
    assert hosts.ask("data2", "look")["holder"]["who"] == "mina"


def test_a_lock_taken_before_etcd_moves_to_etcd(hosts: Anchors) -> None:
    assert hosts.ask("data1", "take", floor=4) == {"number": 5, "where": "file", "silent": False}
    hosts.lay_all()
    assert hosts.ask("data2", "look")["holder"] is None
    assert "lost" not in hosts.ask("data1", "renew", number=5)
    assert hosts.ask("data2", "take", "noor")["held"]["who"] == "mina"
    hosts.ask("data1", "release")
    assert hosts.ask("data3", "take", "noor")["number"] == 6


def test_without_a_quorum_the_lock_file_stays(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.ask("data1", "take")
    hosts.kill("data2")
    hosts.kill("data3")
    assert "lost" not in hosts.ask("data1", "renew")
    assert "held" in hosts.ask("data1", "take", "noor")
    hosts.ask("data1", "release")
    assert hosts.ask("data1", "take", "noor") == {"number": 2, "where": "file", "silent": True}
    hosts.start("data2")
    assert "lost" not in hosts.ask("data1", "renew", "noor", number=2)
    assert hosts.ask("data2", "look")["holder"]["who"] == "noor"


def test_one_member_lost_changes_nothing(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.kill("data1")
    assert hosts.ask("data1", "take")["where"] == "etcd"
    assert "held" in hosts.ask("data3", "take", "noor")


def test_a_broken_lock_is_never_renewed(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.ask("data1", "take")
    assert hosts.ask("data2", "force_release", "noor")["from"]["who"] == "mina"
    assert "lost" in hosts.ask("data1", "renew")
    assert hosts.ask("data3", "take", "noor")["number"] == 3


def test_the_file_keeps_the_lock_while_etcd_is_full(hosts: Anchors) -> None:
    """The run that makes room needs the lock; afterwards the lock is in etcd, visible to all hosts."""
    hosts.lay_all()
    own = hosts.client("data1")
    alarm = {"memberID": own.members(agreed=True)[0]["id"], "alarm": "NOSPACE"}
    own.ask("maintenance/alarm", {"action": "ACTIVATE", **alarm})
    assert hosts.ask("data1", "take")["where"] == "file"
    assert hosts.ask("data1", "take", "noor")["held"]["who"] == "mina"
    assert hosts.ask("data1", "renew") == {"where": "file"}
    own.ask("maintenance/alarm", {"action": "DEACTIVATE", **alarm})
    assert hosts.ask("data1", "renew") == {"where": "etcd"}
    assert hosts.ask("data2", "take", "noor")["held"]["who"] == "mina"


def test_a_dead_holders_lock_is_taken_over_while_etcd_is_full(hosts: Anchors) -> None:
    hosts.lay_all()
    own = hosts.client("data1")
    hosts.ask("data1", "take")
    alarm = {"memberID": own.members(agreed=True)[0]["id"], "alarm": "NOSPACE"}
    own.ask("maintenance/alarm", {"action": "ACTIVATE", **alarm})
    assert hosts.ask("data1", "force_release", of="mina")["from"]["who"] == "mina"
    taken = hosts.ask("data1", "take", "noor")
    assert (taken["number"], taken["where"]) == (3, "file")
    assert hosts.ask("data1", "release", "noor") == {}
    own.ask("maintenance/alarm", {"action": "DEACTIVATE", **alarm})
    assert hosts.ask("data2", "look")["holder"] is None


def test_a_renewal_after_the_release_takes_nothing(hosts: Anchors) -> None:
    hosts.lay_all()
    hosts.ask("data1", "take")
    hosts.ask("data1", "release")
    assert hosts.ask("data1", "renew") == {"lost": "this run has released it"}
    assert hosts.ask("data2", "look")["holder"] is None

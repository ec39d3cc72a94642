"""Pending restarts of PostgreSQL's members: their order, and which members reread etcd first."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from roles.postgresql.host import restart


class Members:
    """Three of Patroni's members; `asked` are the requests to them, in order."""

    def __init__(self, primary: str = "data1", synchronous: str = "data2", releases: bool = True) -> None:
        self.lead, self.synchronous, self.releases = primary, synchronous, releases
        self.asked: list[tuple[str, str]] = []
        self.seen = dict.fromkeys(("data1", "data2", "data3"), 100)
        self.waiting = set(self.seen)
        self.refused = (0, "")
        self.cuts = 0  # connections that Patroni ends without an answer

    @property
    def restarted(self) -> list[str]:
        return [name for name, path in self.asked if path == "/restart"]

    def states(self) -> dict[str, dict[str, Any]]:
        return {name: self.told(name) for name in self.seen}

    def told(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"state": "running", "dcs_last_seen": self.seen[name]}
        found |= {"pending_restart": True} if name in self.waiting else {}
        if name == self.lead:
            return {**found, "role": "primary"}
        found |= {"sync_standby": True} if name == self.synchronous else {}
        return {**found, "role": "replica", "replication_state": "streaming"}

    def wait_primary(self, seconds: float) -> str:
        return self.lead

    def ask(self, name: str, method: str, path: str, body: Any = None, timeout: float = 5) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.told(name)
        self.asked.append((name, path))
        if path == "/config":
            assert method == "PATCH"
            assert list(body.values()) == [None]  # a change without effect, but not an empty one
            self.seen[name] += 1
            if self.releases and name == self.lead:
                self.synchronous = "data3" if self.synchronous == "data2" else "data2"
            return 200, {}
        if self.cuts:
            self.cuts -= 1
            return 0, "[Errno 104] Connection reset by peer"
        if self.refused[0]:
            return self.refused
        end = time.monotonic() + 10  # Patroni also gives up waiting, and restarts anyway
        while name == self.synchronous and time.monotonic() < end:
            time.sleep(0.05)
        self.waiting.discard(name)
        return 200, "restarted"


def test_restart_order_is_async_replica_sync_replica_primary() -> None:
    members = Members()
    assert restart.restart_waiting(members)  # type: ignore[arg-type]
    assert members.restarted == ["data3", "data2", "data1"]
    assert not restart.restart_waiting(members)  # type: ignore[arg-type]


def test_the_primary_releases_a_replica_before_its_stop() -> None:
    members = Members()
    restart.restart(members, "data2", "data1")  # type: ignore[arg-type]
    assert members.asked == [("data2", "/restart"), ("data1", "/config")]
    assert members.synchronous == "data3"


def test_patronis_answer_to_a_failed_restart_is_reported() -> None:
    members = Members()
    members.refused = (503, "restart failed")
    with pytest.raises(RemoteError, match="PostgreSQL on data3 could not be restarted: 503 restart failed"):
        restart.restart(members, "data3", "data1")  # type: ignore[arg-type]


def test_a_member_that_cuts_the_connection_is_asked_again() -> None:
    members = Members()
    members.cuts = 2
    restart.restart(members, "data3", "data1")  # type: ignore[arg-type]
    assert members.restarted == ["data3", "data3", "data3"]
    assert "data3" not in members.waiting


def test_every_member_rereads_etcd_before_a_run_continues() -> None:
    members = Members()
    restart.look(members, 5)  # type: ignore[arg-type]
    assert members.asked == [(name, "/config") for name in ("data1", "data2", "data3")]
    assert set(members.seen.values()) == {101}

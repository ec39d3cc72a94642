"""Orders of an operator about primaries, decided from the answers of members: without hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.runbook import Act
from roles.postgresql import failover as postgresql
from roles.postgresql.host import scram
from roles.sentinel import failover as redis
from tests.plan.fake_run import FakeRun
from tests.plan.store_environment import environment

VIEW: dict[str, dict[str, Any]] = {
    "data1": {"role": "leader", "state": "running", "lag": None},
    "data2": {"role": "sync_standby", "state": "streaming", "lag": 0},
    "data3": {"role": "replica", "state": "streaming", "lag": 0},
}
NOBODY = {**VIEW, "data1": {"role": "replica", "state": "stopped", "lag": "unknown"}}


class Lab(FakeRun):
    """A run that reaches every host, with answers of members from the test."""

    def __init__(self, env: Environment) -> None:
        self.environment = env
        self.notes: dict[str, None] = {}

    def reaches(self, name: str) -> bool:
        return True

    def note(self, role: str, text: str) -> bool:
        self.notes[text] = None
        return True


def run(directory: Path) -> Lab:
    return Lab(environment(directory, data=3))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The view of all members, which tests may change."""
    view = {name: dict(one) for name, one in VIEW.items()}
    monkeypatch.setattr(postgresql, "members", lambda run: view)
    return view


def what(acts: list[Act]) -> list[str]:
    return [act.what.split(":")[0] for act in acts]


def test_the_replica_in_sync_takes_over(tmp_path: Path, said: dict[str, Any]) -> None:
    assert what(postgresql.switch(run(tmp_path))) == [
        "Switch PostgreSQL over from data1 to data2",
        "Wait until all follow data2",
    ]


def test_another_replica_is_synchronized_first(tmp_path: Path, said: dict[str, Any]) -> None:
    assert what(postgresql.switch(run(tmp_path), "data3")) == [
        "Have data3 confirm writes, too",
        "Switch PostgreSQL over from data1 to data3",
        "Wait until all follow data3",
        "Have one replica confirm writes again",
    ]


def test_no_failover_to_the_current_primary(tmp_path: Path, said: dict[str, Any]) -> None:
    assert postgresql.switch(run(tmp_path), "data1") == []


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ({}, "date2", 'to="date2" is not a host of PostgreSQL; did you mean "data2"'),
        ({"data3": None}, "data3", "data3 does not take part"),
        ({"data2": {"state": "starting"}}, "data2", "data2 cannot take over, its state is starting"),
        (NOBODY, "", "no primary .*data1: replica, stopped.*--data force=true --data to=data2"),
    ],
)
def test_an_impossible_request_is_refused(
    tmp_path: Path, said: dict[str, Any], change: dict[str, Any], to: str, message: str
) -> None:
    for name, one in change.items():
        if one is None:
            said.pop(name)
        else:
            said[name].update(one)
    with pytest.raises(OperatorError, match=message):
        postgresql.switch(run(tmp_path), to)


def test_force_warns_of_lost_writes(tmp_path: Path, said: dict[str, Any]) -> None:
    said.update(NOBODY)
    forced = run(tmp_path)
    acts = postgresql.switch(forced, "data3", force=True)
    assert what(acts)[0] == "Promote data3, though it may lack acknowledged writes"
    assert "LOST" in next(iter(forced.notes))


def test_one_host_has_nothing_to_fail_over_to(tmp_path: Path, said: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match="one host of PostgreSQL, data1"):
        postgresql.switch(Lab(environment(tmp_path)))


def test_a_sync_replica_is_replaced_before_its_rebuild(tmp_path: Path, said: dict[str, Any]) -> None:
    assert what(postgresql.rebuild(run(tmp_path), "data2")) == [
        "Have data3 confirm writes, too",
        "Remove the data of data2 and copy it again from data1",
        "Wait until data2 follows again",
        "Have one replica confirm writes again",
    ]
    assert len(postgresql.rebuild(run(tmp_path), "data3")) == 2


def test_the_last_copy_in_sync_is_kept(tmp_path: Path, said: dict[str, Any]) -> None:
    said["data2"]["state"] = "stopped"
    with pytest.raises(OperatorError, match="the only replica that could be in step"):
        postgresql.rebuild(run(tmp_path), "data3")
    assert len(postgresql.rebuild(run(tmp_path), "data3", force=True)) == 2
    with pytest.raises(OperatorError, match="data1 is the primary"):
        postgresql.rebuild(run(tmp_path), "data1")


def test_redis_needs_a_replica_and_a_majority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, Any] = {
        name: {"primary": "10.9.0.31", "server": {"role": role, "offset": offset, "linked": True}}
        for name, role, offset in (("data1", "master", 9), ("data2", "slave", 7), ("data3", "slave", 9))
    }
    monkeypatch.setattr(redis, "_answers", lambda run, instance: answers)
    first = "Switch Redis persistent over from data1 to data3"
    assert what(redis.switch(run(tmp_path)))[:2] == [first, "Wait until all follow data3"]
    assert redis.switch(run(tmp_path), "data1") == []
    for answer in answers.values():
        answer["primary"] = ""
    with pytest.raises(OperatorError, match="no majority of the Sentinels"):
        redis.switch(run(tmp_path))
    answers["data2"]["server"]["role"] = answers["data3"]["server"]["role"] = "master"
    with pytest.raises(OperatorError, match="no replica of it answers"):
        redis.switch(run(tmp_path))


def test_a_verifier_matches_its_password_with_any_salt() -> None:
    ours = scram.verifier("postgres", "right")
    servers = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:x"
    assert scram.matches(ours, "right")
    assert not scram.matches(ours, "wrong")
    assert scram.matches(servers, "pencil")
    assert not scram.matches(servers, "pen")
    assert not scram.matches("", "right")
    assert not scram.matches("md5abc", "right")

"""Runbooks of backups: refusals before any change, and parsing of times and reports."""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from nexus.error import OperatorError
from roles.backup.host import restore
from roles.postgresql.host import backup_cluster, backup_pgbackrest
from roles.postgresql.restore import check_reach
from runbooks.restore.restore import moment

LISTED: dict[str, Any] = {
    "postgresql": [
        {"label": "20261101-100000F", "type": "full", "stop": 1793527300},
        {"label": "20261101-100000F_20261101-110000I", "type": "incr", "stop": 1793530900},
    ]
}


def at(seconds: int) -> str:
    return moment(dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat())


def test_a_moment_is_utc_wherever_it_is_written() -> None:
    assert moment("2026-01-02T03:04:05+02:00") == "2026-01-02T01:04:05Z"
    assert moment("2026-01-02 03:04:05") == "2026-01-02T03:04:05Z"
    assert moment("2026-01-02T03:04:05.25Z") == "2026-01-02T03:04:05.250000Z"
    assert moment("") == moment("latest") == "latest"


def test_invalid_and_future_moments_are_refused() -> None:
    with pytest.raises(OperatorError, match="write a point in time as"):
        moment("yesterday")
    with pytest.raises(OperatorError, match="is in the future"):
        moment("2999-01-01T00:00:00Z")


def test_a_moment_needs_a_backup_before_it() -> None:
    assert check_reach(LISTED, "latest") == LISTED["postgresql"][1]["label"]
    assert check_reach(LISTED, at(1793530000)) == LISTED["postgresql"][0]["label"]
    with pytest.raises(OperatorError, match="the oldest backup ended at 20"):
        check_reach(LISTED, at(1793520000))
    with pytest.raises(OperatorError, match="no backup"):
        check_reach({"postgresql": []}, "latest")


def test_pgbackrest_gets_a_moment_with_its_zone() -> None:
    assert backup_cluster.target("2026-01-02T01:04:05Z")[1] == "--target=2026-01-02 01:04:05+00"
    assert backup_cluster.target("latest") == ["--type=default"]


def test_a_file_name_says_when_it_was_saved() -> None:
    made = restore.made("redis/2026-11-22/190501-persistent.rdb.age")
    assert made == dt.datetime(2026, 11, 22, 19, 5, 1, tzinfo=dt.UTC)
    assert restore.made("redis/strange") > restore.moment("2999-01-01T00:00:00Z")


def test_a_damaged_file_is_named() -> None:
    """The lines are those of pgBackRest 2.45 and later."""
    said = (
        "P02   INFO: invalid checksum '20261122-195046F/pg_data/base/1/2691.zst'\n"
        "P01   INFO: invalid checksum '15-1/0000000100000000/000000010000000000000001-c6eed8.zst'\n"
        "P00   INFO: verify command begin 2.45: --config='/etc/pgbackrest/pgbackrest.conf'"
    )
    assert backup_pgbackrest.DAMAGED.findall(said) == [
        "20261122-195046F/pg_data/base/1/2691.zst",
        "15-1/0000000100000000/000000010000000000000001-c6eed8.zst",
    ]


@pytest.mark.parametrize(
    ("hint", "calls"),
    [
        ("HINT: has a stanza-create been performed?", ["incr backup", "stanza-create", "full backup"]),
        ("ERROR: [082]: WAL segment was not archived", ["incr backup"]),
    ],
)
def test_an_empty_repository_gets_its_stanza(monkeypatch: pytest.MonkeyPatch, hint: str, calls: list[str]) -> None:
    made: list[str] = []

    def call(stanza: str, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
        made.append(" ".join(word for word in words if not word.startswith("--")))
        failed = len(made) == 1
        return subprocess.CompletedProcess([], int(failed), "", hint if failed else "")

    monkeypatch.setattr(backup_pgbackrest, "call", call)
    if len(calls) == 1:
        with pytest.raises(RemoteError, match="was not archived"):
            backup_pgbackrest.back_up({"postgresql": {"stanza": "nexus-cos"}}, "incr")
    else:
        backup_pgbackrest.back_up({"postgresql": {"stanza": "nexus-cos"}}, "incr")
    assert made == calls

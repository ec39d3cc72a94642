"""Status: answers of hosts, compared with the catalogue's targets. The answers have the form of the lab's hosts."""

from __future__ import annotations

import copy
import difflib
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.run.role_questions import DAILY, STATUS, question
from nexus.run.row import amount, duration
from roles.table import ROLES
from runbooks.status import judge, table
from tests.plan import status_answers
from tests.plan.status_amiss import ADDRESSES, AMISS, DATA, NODES, Answers
from tests.plan.status_answers import EXPECTED, plain, sha256
from tests.plan.store_environment import environment

NOW = 1_800_000_000.0
DAY = 86400


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return environment(tmp_path, data=3)


@pytest.fixture
def answers() -> Answers:
    """data1 leads everything, data2 is in sync, and everything is healthy."""
    found = {name: data(name) for name in DATA}
    nodes = {"app1": {"state": "ready", "availability": "active", "manager": True, "reachable": True, "leader": True}}
    return {"app1": {**host(), "swarm": {"nodes": nodes}}, **found}


def host() -> dict[str, Any]:
    disk = {"path": "/", "used_percent": 40.0, "free_bytes": 60 * 2**30}
    return {
        "host": {"disks": [disk], "failed": []},
        "certificates": {
            "files": {"/etc/nexus-cos/tls/ca.pem": NOW + 3000 * DAY, "/etc/nexus-cos/tls/leaf.pem": NOW + 60 * DAY},
            "shown": {"redis 6379": NOW + 60 * DAY, "rabbitmq 5671": NOW + 61 * DAY},
            "prepared": {"until": NOW + 700 * DAY, "late": 0.0},
        },
        "backup": {},
    }


def data(name: str) -> dict[str, Any]:
    roles = {"data1": "leader", "data2": "sync_standby", "data3": "replica"}
    members = {
        member: {"role": role, "state": "running" if role == "leader" else "streaming", "timeline": 1, "lag": 0}
        for member, role in roles.items()
    }
    standbys = [{"name": other, "state": "streaming", "synchronous": True, "bytes": 0} for other in DATA[1:]]
    leads = name == "data1"
    server: dict[str, Any] = {
        "replica": not leads,
        "behind_seconds": None if leads else 700.0,
        "connections": 3,
        "most": 100,
    }
    server["standbys"] = standbys if leads else []
    redis = {
        "server": {"role": "master" if leads else "slave", "offset": 5000, "linked": True, "silent_seconds": 0,
                   "full": 1, "saves": True},
        "primary": ADDRESSES["data1"], "flags": "master", "quorum": "OK 3 usable Sentinels", "missing": [], "stale": [],
        "own": {},
    }  # fmt: skip
    etcd = {"members": dict.fromkeys(DATA, True), "agrees": True, "why": "", "leader": "data1", "errors": []}
    etcd["open"] = False
    rabbit = {"node": f"rabbit@{name}", "nodes": NODES, "alarms": [], "queues": 2}
    good = {"ok": True, "error": "", "finished_at": "2027-01-15T07:50:00Z", "ok_at": "2027-01-15T07:50:00Z"}
    kinds = ("postgresql", "redis", "rabbitmq", "mongodb", "environment", "restore_test")
    found = {
        **host(),
        "backup": dict.fromkeys(kinds, good) if leads else {},
        "etcd": etcd,
        "postgresql": {"members": members, "paused": False, "server": server, "own": {}, "pooler": ""},
        "redis": {"persistent": redis, "cache": redis},
        "rabbitmq": {**rabbit, "without majority": []},
    }
    return copy.deepcopy(found)


def missed(env: Environment, answers: Answers) -> dict[str, str]:
    """Missed targets: {"area what": "value -> what to do"}."""
    lines = judge(ROLES, env, answers, NOW)
    return {f"{line.area} {line.what}": f"{line.value} -> {line.advice}" for line in lines if line.missed}


def test_all_is_well(env: Environment, answers: Answers) -> None:
    assert missed(env, answers) == {}
    shown = {(line.area, line.what): line.value for line in judge(ROLES, env, answers, NOW)}
    assert shown["postgresql", "primary"] == "data1"
    assert shown["postgresql", "data2"].startswith("synchronous, 0 B")
    assert shown["redis", "cache"] == "primary data1, named by 3 of 3 Sentinels"
    assert shown["etcd", "quorum"] == "3 of 3 answer, data1 leads"
    assert shown["backup", "postgresql"] == "10 min ago"


def test_every_host_is_asked_for_what_it_runs(env: Environment) -> None:
    stores = {"etcd", "postgresql", "redis", "rabbitmq"}
    assert stores < question(ROLES, env, env.host("data2")).keys()
    assert not stores & question(ROLES, env, env.host("app1")).keys()


def test_a_silent_host_is_reported_and_the_rest_is_judged(env: Environment, answers: Answers) -> None:
    del answers["data3"]
    for name in DATA[:2]:
        answers[name]["postgresql"]["members"].pop("data3")
        answers[name]["postgresql"]["server"]["standbys"][:] = answers[name]["postgresql"]["server"]["standbys"][:1]
        answers[name]["rabbitmq"]["nodes"] = {**NODES, "rabbit@data3": False}
    found = missed(env, answers)
    assert "data3: power, network, sshd" in found["hosts login"]
    assert found["etcd quorum"].startswith("2 of 3 answer, data1 leads ->")
    assert "is not a member" in found["postgresql data3"]
    assert "on data3" in found["rabbitmq nodes"]
    assert "postgresql primary" not in found
    assert "redis persistent" not in found


@pytest.mark.parametrize("case", AMISS)
def test_missed_targets_are_named_with_their_remedy(env: Environment, answers: Answers, case: str) -> None:
    change, what, words = AMISS[case]
    change(answers)
    assert words in missed(env, answers).get(what, f"nothing, only {missed(env, answers)}")


def test_rows_and_their_order_do_not_change(env: Environment, answers: Answers) -> None:
    well = judge(ROLES, env, answers, NOW)
    assert table.text(well).splitlines() == EXPECTED["well"]
    for case, expected in EXPECTED["amiss"].items():
        changed = copy.deepcopy(answers)
        AMISS[case][0](changed)
        now = plain(judge(ROLES, env, changed, NOW))
        assert list(difflib.unified_diff(plain(well), now, n=0, lineterm=""))[2:] == expected, case


def test_all_areas_are_in_their_order(tmp_path: Path) -> None:
    env = status_answers.environment(tmp_path)
    rows = judge(ROLES, env, status_answers.answers(), NOW)
    assert plain(rows) == EXPECTED["whole"]
    assert table.text(rows).splitlines() == EXPECTED["whole text"]
    assert sha256(table.data("lab", "now", rows)) == EXPECTED["whole json sha256"]


def test_every_part_is_known_on_its_host(tmp_path: Path) -> None:
    env = status_answers.environment(tmp_path)
    asked = [question(ROLES, env, host, file) for host in env.hosts for file in (STATUS, DAILY)]
    parts = {name: part.module for found in asked for name, part in found.items()}
    assert len(parts) > 10
    assert [name for name, module in parts.items() if name not in importlib.import_module(module).PARTS] == []


def test_the_archive_keeps_a_backup_fresh(env: Environment, answers: Answers) -> None:
    old = {"ok": True, "finished_at": "2027-01-15T02:00:00Z", "ok_at": "2027-01-15T02:00:00Z"}
    answers["data1"]["backup"]["postgresql"] = old
    assert "backup postgresql" in missed(env, answers)
    answers["data1"]["backup"]["postgresql"] = {**old, "wal_archived_at": "2027-01-15T07:59:00Z"}
    assert missed(env, answers) == {}


def test_the_newest_of_all_hosts_counts(env: Environment, answers: Answers) -> None:
    newer = {"ok": True, "finished_at": "2027-01-15T07:58:00Z", "ok_at": "2027-01-15T07:58:00Z"}
    answers["data3"]["backup"]["postgresql"] = newer
    shown = {line.what: line.value for line in judge(ROLES, env, answers, NOW) if line.area == "backup"}
    assert (shown["postgresql"], shown["redis"]) == ("2 min ago", "10 min ago")


def test_a_program_and_a_person_read_the_same(env: Environment, answers: Answers) -> None:
    answers["app1"]["host"]["failed"] = ["haproxy.service"]
    lines = judge(ROLES, env, answers, NOW)
    told = json.loads(table.data("lab", "now", lines))
    assert told["missed"] == 1
    assert [line["what"] for line in told["lines"] if line["missed"]] == ["app1"]
    shown = table.text(lines).splitlines()
    assert len(shown) == len(lines) + 1
    (row,) = (line for line in shown if "MISSED" in line)
    assert "failed: haproxy.service" in row
    assert len({line.index("ok") for line in shown[1:] if " ok " in line}) == 1, "columns are not aligned"


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (900, "900 B"), (5 << 20, "5.0 MiB"), (70 << 30, "70 GiB")])
def test_sizes(size: int, text: str) -> None:
    assert amount(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (600, "10 min"), (3 * DAY, "3 days"), (7200, "2 h")])
def test_spans(seconds: int, text: str) -> None:
    assert duration(seconds) == text

"""Seven hosts and their answers for the status and the daily checks: some healthy, some not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.run.row import Row
from tests.plan import environments

NOW = 1_800_000_000.0
DAY = 86400
GROUPS = {
    "edge1": "edge",
    "app1": "app",
    "app2": "app",
    "data1": "etcd postgresql redis rabbitmq mongodb",
    "data2": "etcd postgresql redis rabbitmq mongodb",
    "data3": "etcd postgresql redis rabbitmq mongodb",
    "ops1": "ops storage",
}
DATA = ("data1", "data2", "data3")
KEPT = {"drained app2": {"at": "2026-11-22"}, "maintenance puabo-nexus": {"at": "2026-11-23"}}
EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("status_expected.json").read_text())
Answers = dict[str, dict[str, Any]]


def plain(rows: Iterable[Row]) -> list[str]:
    """Rows in the form of EXPECTED."""
    return ["\t".join((row.area, row.what, row.value, row.target, row.advice)) for row in rows]


def sha256(text: str) -> str:
    """The hash of a long text, in the form of EXPECTED."""
    return hashlib.sha256(text.encode()).hexdigest()


def environment(directory: Path) -> Environment:
    """All groups, stores on three hosts."""
    return environments.environment(directory, GROUPS)


def answers() -> Answers:
    """Answers for the status: each area has something healthy and something that is not."""
    nodes = {
        name: {"state": "ready", "availability": "active", "manager": name == "app1", "reachable": True,
               "leader": name == "app1"}
        for name in ("app1", "app2")
    }  # fmt: skip
    nodes["app2"]["availability"] = "drain"
    found: Answers = {name: _host(name) for name in GROUPS}
    for name in DATA:
        found[name] |= _stores(name)
    found["app1"]["swarm"] = {"nodes": nodes}
    found["edge1"]["services"] = {
        "service glitch": {"ready": False, "why": "503"},
        "service auth-service": {"ready": True, "why": ""},
    }
    found["edge1"]["functional"] = {"backend-api": dict.fromkeys(("who am I",), "")}
    found["app2"] = {"host": {"error": "the disk is gone"}}
    found["ops1"]["alerts"] = {"since": "2027-01-14T08:00:00Z", "alerts": [_alert("Watchdog", "none"), _alert()]}
    found["data2"]["backup"]["postgresql"] = {
        "ok": False, "error": "no room", "ok_at": "2027-01-15T04:00:00Z", "finished_at": "2027-01-15T07:58:00Z",
    }  # fmt: skip
    return found


def _alert(name: str = "DiskSpaceLow", severity: str = "critical") -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, **({"host": "ops1"} if severity != "none" else {})}
    text = {"summary": "ops1: 3% of / is free", "fix": "free space there"}
    return {"labels": labels, "annotations": text, "at": "2027-01-15T07:00:00Z"}


def _host(name: str) -> dict[str, Any]:
    disk = {"path": "/", "used_percent": 97.0 if name == "ops1" else 40.0, "free_bytes": 60 * 2**30,
            "inodes_percent": 95.0 if name == "data3" else 5.0}  # fmt: skip
    good = {"ok": True, "error": "", "finished_at": "2027-01-15T07:50:00Z", "ok_at": "2027-01-15T07:50:00Z"}
    kinds = ("postgresql", "redis", "rabbitmq", "environment", "copy", "restore_test")
    return {
        "host": {"disks": [disk], "failed": ["x.service"] if name == "edge1" else [], "units": {"nginx": "is masked"}
                 if name == "edge1" else {}, "read_only": [], "packages": [], "held": []},
        "certificates": {
            "files": {"/etc/nexus-cos/tls/ca.pem": NOW + 3000 * DAY, "/etc/nexus-cos/tls/leaf.pem": NOW + 60 * DAY},
            "shown": {"redis 6379": NOW + 60 * DAY} if name in DATA else {},
            "prepared": {"until": NOW + (100 if name == "data3" else 700) * DAY, "late": 0.0},
        },
        "backup": dict.fromkeys(kinds, good) if name == "data1" else {},
    }  # fmt: skip


def _stores(name: str) -> dict[str, Any]:
    leads, address = name == "data1", "10.0.0.4"
    states = {"data1": "leader", "data2": "sync_standby", "data3": "replica"}
    members = {
        member: {"role": role, "state": "running" if role == "leader" else "streaming", "timeline": 1, "lag": 0}
        for member, role in states.items()
    }
    standbys = [{"name": other, "state": "streaming", "synchronous": True, "bytes": 70_000} for other in DATA[1:]]
    server = {"replica": not leads, "behind_seconds": None if leads else 3.0, "connections": 3, "most": 100,
              "standbys": standbys if leads else []}  # fmt: skip
    redis = {
        "server": {"role": "master" if leads else "slave", "offset": 5000, "linked": name != "data3",
                   "silent_seconds": 0, "full": 1, "saves": True},
        "primary": address, "flags": "master", "quorum": "OK 3 usable Sentinels", "missing": [], "stale": [], "own": {},
    }  # fmt: skip
    return {
        "etcd": {"members": {**dict.fromkeys(DATA, True), "old1": True}, "agrees": True, "why": "", "leader": "data1",
                 "errors": ["alarm:NOSPACE"] if name == "data2" else [], "open": False},
        "postgresql": {"members": members, "paused": False, "server": server, "own": {"settings": ["work_mem"]}
                       if leads else {}, "pooler": "auth is paused. There: RESUME" if leads else ""},
        "redis": {"persistent": redis, "cache": redis},
        "rabbitmq": {"node": f"rabbit@{name}", "nodes": {f"rabbit@{other}": True for other in DATA}, "queues": 2,
                     "alarms": ["rabbit@data2: memory"] if name == "data2" else [], "without majority": []},
    }  # fmt: skip


def seen() -> Answers:
    """Answers for the daily checks."""
    calm = {
        "load": {"cpu": 20.0, "memory": 40.0},
        "errors": {"count": 0, "critical": 0, "units": {}},
        "logins": {"count": 0, "sources": {}},
    }
    found: Answers = {name: dict(calm) for name in GROUPS}
    found["app1"]["load"] = {"cpu": 97.0, "memory": 81.0}
    found["data1"]["errors"] = {"count": 9, "critical": 1, "units": {"x.service": 9}}
    found["data2"]["logins"] = {"count": 500, "sources": {"192.0.2.7": 500}}
    found["data1"]["listening"] = {"sockets": [["tcp", 22, "sshd"], ["tcp", 4444, "nc"]]}
    found["app1"]["scan"] = {"at": NOW - 86400, "index": 80, "findings": [["warning", "PKGS-7392", "vulnerable"]]}
    updates = [
        {"name": name, "old": "1", "new": "2", "security": name == "haproxy"} for name in ("haproxy", "a", "b", "c")
    ]
    found["app1"]["updates"] = {"updates": updates, "reboot": ["linux-image"]}
    found["app2"]["hardening"] = {"differs": ["sysctl kernel.sysrq: value differs"]}
    found["edge1"]["firewall"] = {"differs": ["firewall: rules differs"]}
    found["edge1"]["access"] = {"requests": 1000, "5xx": 80, "4xx": 3, "services": {"glitch": 80}}
    found["ops1"]["record"] = {"lines": 12, "at": NOW}
    found["ops1"]["fired"] = {"alerts": {"DiskSpaceLow ops1": 7.0, "TargetDown app2": 42.0}}
    return found

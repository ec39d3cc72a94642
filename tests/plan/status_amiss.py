"""What may be amiss on three data hosts and an app host: how their answers change, the row, and its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DATA = ("data1", "data2", "data3")
ADDRESSES = {"data1": "10.9.0.31", "data2": "10.9.0.32", "data3": "10.9.0.33"}
NODES = {f"rabbit@{name}": True for name in DATA}
Answers = dict[str, dict[str, Any]]

Change = Callable[[Answers], Any]
AMISS: dict[str, tuple[Change, str, str]] = {
    "no quorum": (
        lambda a: [a[name]["etcd"].update(agrees=False, leader="") for name in DATA],
        "etcd quorum", "no leader -> no quorum",
    ),
    "etcd's store is full": (
        lambda a: a["data2"]["etcd"].update(errors=["alarm:NOSPACE"]), "etcd data2", "NOSPACE",
    ),
    "an unplanned member": (
        lambda a: [a[name]["etcd"]["members"].update(old1=True) for name in DATA],
        "etcd members", "old1 is not in the inventory",
    ),
    "no primary": (
        lambda a: [one.update(role="replica") for name in DATA for one in a[name]["postgresql"]["members"].values()]
        + [a["data1"]["postgresql"]["server"].update(replica=True, standbys=[])],
        "postgresql primary", "none -> no writes are accepted",
    ),
    "two primaries of PostgreSQL": (
        lambda a: a["data2"]["postgresql"]["server"].update(replica=False), "postgresql primary", "data1 and data2",
    ),
    "a replica far behind": (
        lambda a: a["data1"]["postgresql"]["server"]["standbys"][1].update(bytes=9_000_000),
        "postgresql data3", "8.6 MiB and 12 min behind",
    ),
    "a replica that does not stream": (
        lambda a: a["data1"]["postgresql"]["server"]["standbys"].pop(),
        "postgresql data3", "rebuild_replica.py --data host=data3",
    ),
    "no replica in sync": (
        lambda a: [a[name]["postgresql"]["members"]["data2"].update(role="replica") for name in DATA],
        "postgresql synchronous", "none",
    ),
    "Patroni paused": (
        lambda a: a["data3"]["postgresql"].update(paused=True), "postgresql failover", "patronictl resume",
    ),
    "a server set to read only": (
        lambda a: a["data1"]["postgresql"].update(own={"obstacle": "it is read only. There: reset"}),
        "postgresql data1 server", "it is read only -> it is read only. There: reset",
    ),
    "settings changed by hand": (
        lambda a: a["data2"]["redis"]["cache"].update(own={"settings": ["maxmemory"], "users": ["someone"]}),
        "redis cache data2", "changed by hand: maxmemory, someone -> deploys/data.py resets it",
    ),
    "a paused database": (
        lambda a: a["data1"]["postgresql"].update(pooler="auth is paused. There: RESUME"),
        "postgresql data1 pooler", "auth is paused -> auth is paused. There: RESUME",
    ),
    "too many connections": (
        lambda a: a["data1"]["postgresql"]["server"].update(connections=90), "postgresql connections", "90 of 100",
    ),
    "Sentinels that disagree": (
        lambda a: [a["data2"]["redis"]["cache"].update(primary=ADDRESSES["data2"]),
                   a["data3"]["redis"]["cache"].update(primary=ADDRESSES["data3"])],
        "redis cache", "no majority agrees",
    ),
    "two primaries of Redis": (
        lambda a: a["data3"]["redis"]["persistent"]["server"].update(role="master"),
        "redis persistent", "servers that say master: data1 and data3",
    ),
    "a replica without a link": (
        lambda a: a["data2"]["redis"]["persistent"]["server"].update(linked=False),
        "redis persistent data2", "no link to the primary",
    ),
    "a partition": (
        lambda a: a["data3"]["rabbitmq"].update(nodes={**NODES, "rabbit@data1": False}),
        "rabbitmq data3", "does not see rabbit@data1",
    ),
    "a queue without a majority": (
        lambda a: a["data1"]["rabbitmq"].update({"without majority": ["billing/orders"]}),
        "rabbitmq queues", "billing/orders",
    ),
    "a full disk": (
        lambda a: a["data1"]["host"]["disks"][0].update(used_percent=97.0, path="/var/lib/postgresql"),
        "disk data1 /var/lib/postgresql", "97 % used, 60 GiB left -> critical",
    ),
    "a unit that failed": (
        lambda a: a["app1"]["host"].update(failed=["haproxy.service"]), "hosts app1", "haproxy.service",
    ),
    "a part that does not answer": (
        lambda a: a["data2"].update(rabbitmq={"error": "no answer within 8 s"}), "rabbitmq data2", "no answer",
    ),
    "an old backup": (
        lambda a: a["data1"]["backup"].update(redis={"ok": True, "finished_at": "2027-01-15T05:00:00Z",
                                                     "ok_at": "2027-01-15T05:00:00Z"}),
        "backup redis", "3 h ago -> deploys/backup.py",
    ),
    "a backup that failed": (
        lambda a: a["data2"]["backup"].update(redis={"ok": False, "error": "no room", "ok_at": "",
                                                     "finished_at": "2027-01-15T07:55:00Z"}),
        "backup redis", "the last one failed -> no room",
    ),
    "no proof": (lambda a: a["data1"]["backup"].pop("restore_test"), "backup restore", "no record of any"),
}  # fmt: skip

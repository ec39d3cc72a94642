"""Runs on a host: what the members of the stores' clusters on it say. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from roles.etcd.client import Etcd
from roles.kit.agent.base import RemoteError, run
from roles.postgresql.rest import Patroni
from roles.rabbitmq.api import Api
from roles.sentinel.view import View

Item = Mapping[str, Any]
Answer = dict[str, Any]

FIGURES = """
select json_build_object(
  'replica', pg_is_in_recovery(),
  'behind_seconds', extract(epoch from now() - pg_last_xact_replay_timestamp()),
  'connections', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  'most', current_setting('max_connections')::int,
  'standbys', case when pg_is_in_recovery() then '[]' else
    (select coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'synchronous',
       sync_state in ('sync', 'quorum'), 'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))), '[]')
     from pg_stat_replication where state is not null and application_name <> 'pg_basebackup') end)
"""


def etcd(context: Item) -> Answer:
    """Members as this one knows them, whether they agree, and whom it takes for the leader."""
    member = Etcd(context["endpoint"], context["tls"], timeout=3)
    told = member.ask("maintenance/status", {})
    members = member.members(agreed=False)
    try:
        member.members(agreed=True)
        agrees, why = True, ""
    except RemoteError as error:
        agrees, why = False, str(error)
    names = {one["id"]: one["name"] or one["peer"] for one in members}
    return {
        "members": {names[one["id"]]: one["votes"] for one in members},
        "agrees": agrees,
        "why": why,
        "leader": names.get(told.get("leader", ""), ""),
        "bytes": int(told.get("dbSize", 0)),
        "errors": list(told.get("errors") or []),
    }


def postgresql(context: Item) -> Answer:
    """What this host's Patroni says of all members, and its server of itself."""
    patroni = Patroni(context)
    status, told = patroni.ask(context["name"], "GET", "/cluster", timeout=3)
    if status != 200:
        raise RemoteError(f"Patroni does not answer: {told}")
    members = {
        member["name"]: {key: member.get(key) for key in ("role", "state", "timeline", "lag")}
        for member in told["members"]
    }
    answer: Answer = {"members": members, "paused": bool(told.get("pause")), "server": {}}
    try:
        argv = ["psql", "-XAtq", "-d", "postgres", "-p", str(context["port"])]
        said = run(argv, input=FIGURES, user="postgres", timeout=4, env={"PGCONNECT_TIMEOUT": "3"})
        answer["server"] = json.loads(said)
    except RemoteError as error:
        answer["server"] = {"error": str(error)}
    return answer


def redis(context: Item) -> Answer:
    """{instance: what this host's Sentinel and server say of it}."""
    return {name: _instance(View(context, one), one["master"]) for name, one in context["instances"].items()}


def _instance(view: View, master: str) -> Answer:
    info = dict(
        line.split(":", 1) for line in view.server()("INFO", "everything").splitlines() if ":" in line
    )
    server = {
        "role": info["role"],
        "offset": int(info.get("slave_repl_offset") or info["master_repl_offset"]),
        "linked": info.get("master_link_status", "up") == "up",
        "silent_seconds": int(info.get("master_last_io_seconds_ago", 0)),
        "full": int(info["maxmemory"]) and int(info["used_memory"]) * 100 // int(info["maxmemory"]),
        "saves": info.get("rdb_last_bgsave_status") == "ok"
        and info.get("aof_last_write_status", "ok") == "ok",
    }
    watched = view.watched()
    return {
        "server": server,
        "primary": watched.get("master", ""),
        "flags": watched.get("flags", ""),
        "quorum": str(view.sentinel()("SENTINEL", "CKQUORUM", master)) if watched else "",
        "missing": watched.get("missing", []),
        "stale": watched.get("stale", []),
    }


def rabbitmq(context: Item) -> Answer:
    """Nodes as this one sees them, and quorum queues that lack a majority of theirs."""
    api = Api(context)
    nodes = api.get("nodes")
    running = {node["name"] for node in nodes if node.get("running")}
    queues = [queue for queue in api.get("queues") if queue.get("type") == "quorum"]
    lame = [
        f"{queue['vhost']}/{queue['name']}"
        for queue in queues
        if len(running & set(queue.get("members", []))) * 2 <= len(queue.get("members", []))
    ]
    return {
        "node": context["node"],
        "nodes": {node["name"]: bool(node.get("running")) for node in nodes},
        "alarms": sorted(
            f"{node['name']}: {what}"
            for node in nodes
            for what in ("mem_alarm", "disk_free_alarm")
            if node.get(what)
        ),
        "queues": len(queues),
        "without majority": sorted(lame),
    }

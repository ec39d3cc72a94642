"""Runs on a host: reports all members as its Patroni lists them, its server and its pooler. Changes nothing."""

import json
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.postgresql.host.local import ask as ask_servers
from roles.postgresql.host.local import local
from roles.postgresql.host.patroni_api import Patroni
from roles.postgresql.host.pooler import orders
from roles.postgresql.host.server import condition

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


def postgresql(context: Item) -> Answer:
    """Report all members as this host's Patroni lists them, its server and its pooler."""
    patroni = Patroni(context)
    status, told = patroni.ask(context["name"], "GET", "/cluster", timeout=3)
    if status != 200:
        raise RemoteError(f"Patroni does not answer: {told}")
    members = {
        member["name"]: {key: member.get(key) for key in ("role", "state", "timeline", "lag")}
        for member in told["members"]
    }
    answer: Answer = {"members": members, "paused": bool(told.get("pause")), "server": {}, "own": {}, "pooler": ""}
    try:
        answer["server"] = json.loads(local(FIGURES, context))
        servers = ask_servers(context)
        answer["own"] = condition(servers, context) if servers else {}
        answer["pooler"] = orders(servers["pooler"], context) if "pooler" in servers else ""
    except RemoteError as error:
        answer["server"] = {"error": str(error)}
    return answer


PARTS = {"postgresql": postgresql}

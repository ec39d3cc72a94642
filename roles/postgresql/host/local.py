"""What the servers of this host answer at the local socket: PostgreSQL, and PgBouncer in front of it.

One process asks both for all states of a probe. At the local socket the superuser needs no password, so this works
while passwords change.
"""

import json
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError, once, run
from roles.postgresql.host.patroni_api import installed

Item = Mapping[str, Any]
# The server starts, or is being made.
NOT_YET = ("the database system is", "No such file", "Connection refused", "not installed")
QUERY = """
select json_build_object(
  'replica', pg_is_in_recovery(),
  'roles', (select json_object_agg(rolname, rolpassword) from pg_authid where rolname in ({roles})),
  'settings', (select json_object_agg(name, json_build_array(setting, current_setting(name), pending_restart))
    from pg_settings where name in ({settings})),
  'altered', (select coalesce(json_agg(distinct name), '[]') from pg_file_settings
    where sourcefile like '%/postgresql.auto.conf'),
  'read_only', (select json_build_array(setting, source) from pg_settings
    where name = 'default_transaction_read_only'),
  'replay_paused', case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
  'synchronous', current_setting('synchronous_standby_names'),
  'rule_errors', (select coalesce(json_agg(format('line %s: %s', line_number, error)), '[]') from pg_hba_file_rules
    where error is not null),
  'slots', case when pg_is_in_recovery() then '[]' else (select coalesce(json_agg(json_build_array(slot_name,
    pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint)), '[]') from pg_replication_slots
    where not active and restart_lsn is not null) end,
  'clients', (select coalesce(json_object_agg(usename, number), '{{}}') from (select usename, count(*) as number
    from pg_stat_activity where backend_type = 'client backend' group by usename order by 2 desc) found)
)"""
POOLER = """
\\unset ON_ERROR_STOP
\\pset tuples_only off
\\pset footer off
\\connect "host=/run/postgresql port={port} user=pgbouncer dbname=pgbouncer"
\\echo {mark}
show databases;
\\echo {mark}
show config;
"""
MARK = "-- pgbouncer"


def seen(context: Item) -> dict[str, Any]:
    """Return what `ask` returns, asked once for all states of a probe."""
    found: dict[str, Any] = once(lambda: ask(context), "postgresql", "local")
    return found


def ask(context: Item) -> dict[str, Any]:
    """Return the server's answer, with the pooler's under "pooler" if there is one; nothing until a server answers.

    RemoteError if a server runs but no longer admits its superuser.
    """
    if not installed(context):
        return {}
    question = QUERY.format(roles=_texts(context["roles"]), settings=_texts(context["settings"]))
    try:
        said = _both(question, context)
    except RemoteError as error:
        if any(words in str(error) for words in NOT_YET):
            return {}
        raise
    answer, *tables = said.split(f"{MARK}\n")
    found: dict[str, Any] = json.loads(answer)
    if len(tables) == 2 and all(tables):
        databases, config = map(_rows, tables)
        found["pooler"] = {"databases": databases, "config": {row["key"]: row["value"] for row in config}}
    return found


def _both(question: str, context: Item) -> str:
    """The answer of the server, and of the pooler if it admits us."""
    try:
        return local(f"{question};\n{POOLER.format(port=context['pooler_port'], mark=MARK)}", context)
    except RemoteError as error:
        if "\\connect" not in str(error):
            raise
        return local(f"{question};", context)


def local(text: str, context: Item) -> str:
    """Output of statements as superuser at this host's own server."""
    options = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-p", str(context["port"]), "-f", "-"]
    psql = [f"{context['programs']}/psql", *options]
    return run(psql, input=f"{text}\n", user="postgres", timeout=30, env={"PGCONNECT_TIMEOUT": "5"})


def _texts(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "''"


def _rows(table: str) -> list[dict[str, str]]:
    head, *rows = [line.split("|") for line in table.splitlines() if line]
    return [dict(zip(head, row, strict=False)) for row in rows]

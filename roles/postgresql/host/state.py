"""Database roles, databases and first schemas of the cluster, read and changed as superuser at the primary.

Objects that we created carry the comment "nexus-cos: SERVICE"; only those are ever reported or dropped.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.wait import repeat
from roles.postgresql.host.patroni_api import Patroni, installed
from roles.postgresql.host.planned import PROBE_SECONDS
from roles.postgresql.host.psql import identifier, literal, psql
from roles.postgresql.host.schema import RECORD, apply_schemas, recorded

Item = Mapping[str, Any]

MARK = "nexus-cos: "
NO_RIGHTS = "nosuperuser nocreatedb nocreaterole nobypassrls valid until 'infinity'"
READ_ONLY = "default_transaction_read_only"
CATALOGUE = f"""
select json_object_agg(name, body) from (
  select 'role ' || r.rolname as name, json_build_object(
    'service', coalesce(shobj_description(r.oid, 'pg_authid'), ''),
    'login', r.rolcanlogin,
    'password', coalesce(split_part(split_part(r.rolpassword, '$', 2), ':', 2), ''),
    'member_of', array(select o.rolname from pg_auth_members m join pg_roles o on o.oid = m.roleid
                       where m.member = r.oid order by 1),
    'acts_as', coalesce((select substr(c, 6) from pg_db_role_setting s, unnest(s.setconfig) c
                         where s.setrole = r.oid and s.setdatabase = 0 and c like 'role=%'), ''),
    'limit', r.rolconnlimit,
    'expires', r.rolvaliduntil is not null and r.rolvaliduntil <> 'infinity',
    'rights', array(select name from (values ('superuser', r.rolsuper), ('createdb', r.rolcreatedb),
                    ('createrole', r.rolcreaterole), ('bypassrls', r.rolbypassrls)) found (name, has) where has),
    'settings', (select coalesce(json_agg(json_build_array(coalesce(d.datname, ''), split_part(c, '=', 1))), '[]')
                 from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
                 where s.setrole = r.oid and not (s.setdatabase = 0 and c like 'role=%')),
    'replication', r.rolreplication) as body
  from pg_authid r where r.rolname <> 'postgres' and r.rolname not like 'pg\\_%'
  union all
  select 'database ' || d.datname, json_build_object(
    'service', coalesce(shobj_description(d.oid, 'pg_database'), ''),
    'owner', pg_get_userbyid(d.datdba),
    'limit', d.datconnlimit,
    'shut', not d.datallowconn,
    'settings', (select coalesce(json_agg(split_part(c, '=', 1)), '[]')
                 from pg_db_role_setting s, unnest(s.setconfig) c
                 where s.setdatabase = d.oid and s.setrole = 0 and split_part(c, '=', 1) <> '{RECORD}'),
    'public', exists(select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                     where a.grantee = 0))
  from pg_database d where not d.datistemplate and d.datname <> 'postgres'
  union all
  select 'function ' || p.proname, json_build_object(
    'service', coalesce(obj_description(p.oid, 'pg_proc'), ''),
    'body', p.prosrc,
    'definer', p.prosecdef,
    'granted', array(select pg_get_userbyid(a.grantee)
                     from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                     where a.grantee <> p.proowner order by 1))
  from pg_proc p where p.pronamespace = (select oid from pg_namespace where nspname = 'pgbouncer')
  union all
  select 'schema ' || replace(d.datname, '_', '-'), json_build_object(
    'service', replace(d.datname, '_', '-'),
    'record', split_part(c, '=', 2))
  from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
  where s.setrole = 0 and split_part(c, '=', 1) = '{RECORD}'
) found
"""


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Return everything that has our mark or a planned name; nothing until Patroni is configured here."""
    if not installed(context):
        return {}
    return existing(names, {**context, "address": Patroni(context).probed_primary(PROBE_SECONDS)})


def apply(change: Change) -> None:
    """Make roles first, owners before their members, then databases and first schemas; remove in reverse order.

    Each batch depends on what is there now, so the next run finishes a run that was cut short.
    """
    items, changed, context = change.items, change.changed, wait(change.context)
    there = existing(items, context)
    roles = [name for name in changed if name.startswith("role ")]
    roles.sort(key=lambda name: items[name]["login"])
    statements = [role(name, items[name], there.get(name), change.payload.get(name)) for name in roles]
    psql([line for lines in statements for line in lines], context)
    if "function lookup" in changed:
        psql(lookup(items["function lookup"]), context)
    databases = [name for name in changed if name.startswith("database ")]
    # CREATE DATABASE cannot be part of a transaction.
    new = [name for name in databases if name not in there]
    owners = [(quoted(name), identifier(items[name]["owner"])) for name in new]
    psql([f"create database {name} owner {owner}" for name, owner in owners], context, False)
    psql([line for name in databases for line in database(name, items[name], there.get(name))], context)
    gone = [name for name in change.removed if name.startswith("database ")]
    psql([f"drop database if exists {quoted(name)} with (force)" for name in gone], context, False)
    gone = sorted(set(change.removed) - set(gone), key=lambda name: not there.get(name, {}).get("login"))
    psql([f"drop role if exists {quoted(name)}" for name in gone], context)
    # All items count as changed if the server could not be probed: what is on record stays.
    schemas = [name for name in changed if name.startswith("schema ") and not there.get(name, {}).get("on record")]
    apply_schemas(schemas, context, change.payload)


def role(name: str, wanted: Item, there: Item | None, verifier: str | None) -> list[str]:
    """Statements that make a role as wanted."""
    who = quoted(name)
    statements = [] if there else [f"create role {who}"]
    password = f" password {literal(verifier)}" if verifier else " password null"
    login = "login" if wanted["login"] else "nologin"
    replication = "replication" if wanted["replication"] else "noreplication"
    limit = f"connection limit {int(wanted['limit'])}"
    statements.append(f"alter role {who} {login} {replication} {limit}{password} {NO_RIGHTS}")
    statements.append(f"comment on role {who} is {literal(MARK + wanted['service'])}")
    held, owners = set(there["member_of"]) if there else set(), set(wanted["member_of"])
    statements += [f"revoke {identifier(owner)} from {who}" for owner in sorted(held - owners)]
    statements += [f"grant {identifier(owner)} to {who}" for owner in sorted(owners - held)]
    # Objects that a login creates belong to the owner, so the other login can use and alter them.
    acts_as = f"set role = {literal(wanted['acts_as'])}" if wanted["acts_as"] else "reset role"
    statements.append(f"alter role {who} {acts_as}")
    for place, setting in there["settings"] if there else []:
        within = f" in database {identifier(place)}" if place else ""
        statements.append(f"alter role {who}{within} reset {identifier(setting)}")
    return statements


def database(name: str, wanted: Item, there: Item | None = None) -> list[str]:
    """Statements that give a database its owner, close it to all others, and drop settings made by hand."""
    by_hand = there["settings"] if there else []
    return [
        *(f"alter database {quoted(name)} reset {identifier(setting)}" for setting in by_hand),
        f"alter database {quoted(name)} owner to {identifier(wanted['owner'])}",
        f"alter database {quoted(name)} connection limit {int(wanted['limit'])}",
        f"revoke all on database {quoted(name)} from public",
        f"comment on database {quoted(name)} is {literal(MARK + wanted['service'])}",
    ]


def lookup(wanted: Item) -> list[str]:
    """Statements that create the function with which the pooler looks up a client's verifier."""
    function = "pgbouncer.lookup(text)"
    head = "create or replace function pgbouncer.lookup(who text, out name text, out verifier text) language sql"
    return [
        "create schema if not exists pgbouncer",
        f"{head} security definer set search_path = pg_catalog as {literal(wanted['body'])}",
        f"revoke all on function {function} from public",
        *(f"grant usage on schema pgbouncer to {identifier(user)}" for user in wanted["granted"]),
        *(f"grant execute on function {function} to {identifier(user)}" for user in wanted["granted"]),
        f"comment on function {function} is {literal(MARK + wanted['service'])}",
    ]


def existing(names: Iterable[str], context: Item) -> dict[str, dict[str, Any]]:
    """What is in the server under a planned name or with our mark."""
    planned = set(names)
    found = json.loads(psql([CATALOGUE], context).strip() or "{}")
    ours = {name: body for name, body in found.items() if name in planned or body["service"].startswith(MARK)}
    for name, body in ours.items():
        body["service"] = body["service"].removeprefix(MARK)
        body["obstacle"] = ordered(name, body)
        if "record" in body:
            body |= recorded(body.pop("record"), context["schemas"][name])
    return ours


def ordered(item: str, found: Item) -> str:
    """How to end an order that makes a role or database read-only or closes it; "" without such an order."""
    settings = found.get("settings", [])
    if READ_ONLY in settings or ["", READ_ONLY] in settings:
        what, ends = f"was set to read only ({READ_ONLY})", f"reset {READ_ONLY}"
    elif found.get("shut"):
        what, ends = "accepts no connections (ALLOW_CONNECTIONS is off)", "allow_connections true"
    else:
        return ""
    return (
        f"{item} {what}. When that is no longer wanted, run on the primary's host: runuser -u postgres -- psql -c "
        f"'alter {item} {ends}'"
    )


def quoted(name: str) -> str:
    """The identifier in an item's name, "role x" or "database x"."""
    return identifier(name.split(" ", 1)[1])


def wait(context: Item) -> Item:
    """The context with the address of a primary that accepts connections; RemoteError when there is none in time."""
    patroni, seconds = Patroni(context), context["wait_seconds"]

    def reached() -> Item:
        found = {**context, "address": patroni.members[patroni.wait_primary(seconds, role="postgresql")]}
        psql(["select 1"], found)
        return found

    return repeat(reached, seconds, role="postgresql")

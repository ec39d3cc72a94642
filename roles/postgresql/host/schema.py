"""The first schema of a service whose code ships no migration: applied to its database once, then left alone.

A setting of the database records it. The server shows the settings of all databases, so a probe need not connect to
each. A copy that takes the database's name brings the record of its own time, or none.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.postgresql.host.psql import identifier, literal, psql

Item = Mapping[str, Any]
RECORD = "nexus_cos.first_schema"  # the setting: "HOW TIME SHA256 FILE"
THEN = {"applied": "it was applied", "found": "its tables were found"}
BEGIN = "set local lock_timeout = '5s'; set local statement_timeout = '60s'; set local search_path = public"


def recorded(record: str, schema: Item) -> dict[str, Any]:
    """Return the item for a record, with a note if the file has changed since."""
    how, when, sha256, _ = [*record.split(" ", 3), "", "", ""][:4]
    if sha256 in ("", schema["sha256"]):
        return {"on record": bool(sha256)}
    note = f"{schema['file']} has changed since {THEN.get(how, how)} at {when}, but is applied only once: "
    return {"on record": True, "note": f"{note}changes belong to the service's migration"}


def apply_schemas(names: Iterable[str], context: Item, texts: Mapping[str, str]) -> None:
    """Apply each to its database, or record that it is there; RemoteError names those that failed."""
    refused = []
    for name in names:
        try:
            _one(context["schemas"][name], context, texts[name])
        except RemoteError as error:
            refused.append(f"{name}: {error}")
    if refused:
        raise RemoteError("\n".join(refused))


def _one(schema: Item, context: Item, text: str) -> None:
    """Apply a schema and its record in one transaction, as the role that owns the database."""
    database, owner, file = schema["database"], schema["owner"], schema["file"]
    found = owners(schema, context)
    missing = [table for table in schema["tables"] if table not in found]
    if found and missing:
        raise RemoteError(
            f"of the tables that {file} creates, database {database} has {', '.join(found)} and lacks "
            f"{', '.join(missing)}. Nothing was changed. Create the missing ones by hand, or drop the others if nobody "
            "needs them, and rerun this deploy"
        )
    create = [BEGIN, f"set local role {identifier(owner)}", f"{text}\n", "reset role"] if missing else []
    how = "applied" if missing else "found"
    record = f"{how} {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {schema['sha256']} {file}"
    note = f"alter database {identifier(database)} set {RECORD} = {literal(record)}"
    try:
        psql([*create, note], context, database=database)
    except RemoteError as error:
        raise RemoteError(f"{file} was not applied to database {database}, which is unchanged: {error}") from None
    print(f"{file}: {told(schema, found)}")


def owners(schema: Item, context: Item) -> dict[str, str]:
    """Return the owners of its tables that are there."""
    names = ", ".join(literal(table) for table in schema["tables"])
    asked = (
        "select json_object_agg(relname, pg_get_userbyid(relowner)) from pg_class c join pg_namespace n "
        f"on n.oid = relnamespace where nspname = 'public' and relname in ({names})"
    )
    there: dict[str, str] = json.loads(psql([asked], context, database=schema["database"]).strip() or "{}")
    return {table: there[table] for table in schema["tables"] if table in there}


def told(schema: Item, found: Mapping[str, str]) -> str:
    """Tell the operator what was done, and what is left to do if another role owns tables that were there."""
    tables, database, owner = ", ".join(schema["tables"]), schema["database"], schema["owner"]
    if not found:
        return f"created {tables} in database {database}"
    foreign = [identifier(table) for table in found if found[table] != owner]
    alter = "; ".join(f"alter table {table} owner to {identifier(owner)}" for table in foreign)
    todo = f". The service may not use tables that another role owns: {alter}" if foreign else ""
    return f"found {tables} in database {database}: left alone, and recorded from now on{todo}"

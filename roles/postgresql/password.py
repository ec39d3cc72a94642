"""Passwords with which Patroni itself logs in: in the server first, and only then in Patroni's file.

Asked and changed on each member through the local socket, where the superuser needs no password: who still has
the old one could not log in with the new. Replicas wait for what comes from the primary.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from roles.kit.agent.base import RemoteError, run
from roles.postgresql.rest import installed
from roles.postgresql.scram import matches, verifier

Item = Mapping[str, Any]
WAIT_SECONDS = 20
QUERY = """
select json_build_object('replica', pg_is_in_recovery(), 'roles',
  (select json_object_agg(rolname, rolpassword) from pg_authid where rolname in ({names})))
"""
QUIET = "set log_min_duration_statement = -1; set log_min_error_statement = panic"


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Whether each log-in has its password.

    A server that does not run takes it from Patroni when it is made, or else from the primary: nothing is amiss.
    """
    found = ask(context)
    return {item: {"is set": not found or fits(found, *login)} for item, login in context["logins"].items()}


def apply(items: Mapping[str, Item], changed: list[str], removed: list[str], context: Item, payload: Item) -> None:
    """Set them on the primary; elsewhere wait until they have come, or for a while."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := ask(context)) and time.monotonic() < deadline:
        missing = {user: password for user, password in context["logins"].values() if not fits(found, user, password)}
        if not missing:
            return
        if not found["replica"]:
            alter = [f"alter role {user} password '{verifier(user, password)}'" for user, password in missing.items()]
            local("; ".join([QUIET, *alter]), context)
            return
        time.sleep(0.5)


def fits(found: Item, user: str, password: str) -> bool:
    """Whether the server has this password for the role."""
    return matches(str((found["roles"] or {}).get(user) or ""), password)


def ask(context: Item) -> dict[str, Any]:
    """{"replica": bool, "roles": {name: verifier}}; nothing where no server answers."""
    if not installed(context):
        return {}
    names = ", ".join(f"'{user}'" for user, _ in context["logins"].values())
    try:
        told: dict[str, Any] = json.loads(local(QUERY.format(names=names), context))
    except RemoteError:
        return {}  # it is not up: whoever starts it says why
    return told


def local(text: str, context: Item) -> str:
    """Output of statements as superuser at this host's own server."""
    options = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-p", str(context["port"]), "-f", "-"]
    psql = [f"{context['programs']}/psql", *options]
    return run(psql, input=f"{text};\n", user="postgres", timeout=30, env={"PGCONNECT_TIMEOUT": "5"})

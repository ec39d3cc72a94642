"""Passwords with which Patroni itself logs in: set in the server first, and only then in Patroni's file.

They are read and changed on each member through the local socket, where the superuser needs no password: a client
with the old one could not log in after the change. Replicas wait for the change to arrive from the primary.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import tries
from roles.postgresql.host.local import ask, local, seen
from roles.postgresql.host.scram import matches, verifier

Item = Mapping[str, Any]
WAIT_SECONDS = 20
QUIET = "set log_min_duration_statement = -1; set log_min_error_statement = panic"


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Whether each login has its password.

    A server that does not run gets it from Patroni when it is made, or else from the primary: nothing is wrong.
    """
    found = known(seen, context)
    return {item: {"is set": not found or fits(found, *login)} for item, login in context["logins"].items()}


def apply(change: Change) -> None:
    """Set them on the primary; elsewhere wait a while for them to arrive."""
    context = change.context
    for _ in tries(WAIT_SECONDS):
        found = known(ask, context)
        missing = {user: word for user, word in context["logins"].values() if found and not fits(found, user, word)}
        if not missing:
            return
        if not found["replica"]:
            alter = [f"alter role {user} password '{verifier(user, password)}'" for user, password in missing.items()]
            local("; ".join([QUIET, *alter]) + ";", context)
            return


def fits(found: Item, user: str, password: str) -> bool:
    """Whether the server has this password for the role."""
    return matches(str((found["roles"] or {}).get(user) or ""), password)


def known(question: Callable[[Item], dict[str, Any]], context: Item) -> dict[str, Any]:
    """{"replica": bool, "roles": {name: verifier}, ...}; nothing where no server answers."""
    try:
        return question(context)
    except RemoteError:
        return {}

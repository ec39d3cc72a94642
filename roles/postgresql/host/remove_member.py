"""Members whose hosts left PostgreSQL's group: if one of them is primary, a member that stays takes over.

Their Patroni is stopped at the end of the run, when nothing needs it, and their data stays.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.wait import wait_until
from roles.postgresql.host.patroni_api import Patroni
from roles.postgresql.host.planned import SYNCHRONOUS

Item = Mapping[str, Any]
SWITCH_SECONDS = 90


def strangers(patroni: Patroni, context: Item) -> list[str]:
    """Members that Patroni knows but the inventory does not name."""
    return sorted(set(patroni.seen()) - set(context["planned"]))


def troubles(patroni: Patroni, context: Item) -> list[str]:
    """Those of them that need work before they stop: the primary, and members that no run stops."""
    found = strangers(patroni, context)
    primary = patroni.primary() if found else None
    return [name for name in found if name == primary or name not in context["leaving"]]


def leave(patroni: Patroni, gone: list[str], context: Item) -> None:
    """Make a member that stays the primary. RemoteError if one that left would continue next to the others."""
    if alone := [name for name in gone if name not in context["leaving"]]:
        names = ", ".join(alone)
        raise RemoteError(
            f"{names} left the inventory, but Patroni still runs there and could become primary with old data. Put "
            f"{names} back into the inventory, only in the group data, and rerun this deploy: it stops Patroni there "
            f"in order. Then remove {names}. Or stop it there: systemctl disable --now patroni etcd; its data stays"
        )
    primary = patroni.wait_primary(context["wait_seconds"])
    if primary not in gone:
        return
    target = heir(patroni, context)
    status, told = patroni.ask(
        primary, "POST", "/switchover", {"leader": primary, "candidate": target}, timeout=SWITCH_SECONDS
    )
    if status not in (200, 202):
        raise RemoteError(f"{primary} leaves and must hand over to {target}, but Patroni refused: {told}")
    print(f"{target} is primary in place of {primary}, which leaves")
    wait(lambda: patroni.primary() == target, context, f"{target} to become primary")


def heir(patroni: Patroni, context: Item) -> str:
    """A member that stays and has every acknowledged write; if there is none, one is made to confirm writes first."""

    def staying(*roles: str) -> list[str]:
        listed = patroni.listed()
        return [name for name in context["members"] if name in listed and listed[name]["role"] in roles]

    status, told = patroni.ask(next(iter(patroni.members)), "GET", "/config")
    if status == 200 and told.get("synchronous_mode") and not staying(*SYNCHRONOUS):
        body = {"synchronous_node_count": len(patroni.listed()) - 1}
        patroni.ask(next(iter(patroni.members)), "PATCH", "/config", body)
        wait(lambda: bool(staying(*SYNCHRONOUS)), context, "a member that stays to confirm writes")
    found = staying(*SYNCHRONOUS) or staying("replica")
    if not found:
        raise RemoteError("no member that stays has a copy of the data and could take over: see deploys/status.py")
    return found[0]


def wait(done: Callable[[], bool], context: Item, what: str) -> None:
    """Wait until `done`; RemoteError when time is up."""
    wait_until(done, context["wait_seconds"], f"waited {context['wait_seconds']} s for {what}", pause=1)

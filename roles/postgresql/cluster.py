"""What Patroni's members agree on: their settings in etcd, and that no server waits for a restart to have them.

Runs on one host of the cluster and asks the members over their REST API, so it does not matter who is primary.
"""

from __future__ import annotations

import time
from typing import Any

from roles.kit.agent.base import RemoteError
from roles.postgresql.leave import leave, strangers, troubles
from roles.postgresql.rest import Patroni, installed

Item = dict[str, Any]
PROBE_SECONDS = 10
ROUNDS = 3  # a smaller max_connections takes effect on replicas only after the primary has it
UP = ("running", "creating replica")
LEFT_ALONE = ("pause",)  # an operator's own


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Settings by dotted name, and each member as it last told the others; nothing before Patroni is configured here.

    One question to one member: each costs Patroni and this host 50 ms, most of it for TLS.
    """
    if not installed(context):
        return {}
    patroni = Patroni(context)
    patroni.probed_primary(PROBE_SECONDS)
    found: dict[str, Item] = {"config": settings(patroni)}
    for name in patroni.members.keys() & patroni.seen():
        found[f"member {name}"] = {"pending_restart": bool(patroni.seen()[name].get("pending_restart"))}
    found |= {f"member {name}": {"pending_restart": False} for name in troubles(patroni, context)}
    planned = set(context["settings"])
    found["config"]["others"] = sorted(found["config"].keys() - planned - set(LEFT_ALONE))
    return found


def apply(items: Item, changed: list[str], removed: list[str], context: Item, payload: Item) -> None:
    """Who leaves hands over; then settings, then one restart after the other where a member waits for it."""
    from roles.postgresql.restart import look, restart_waiting  # a probe needs none of what it imports

    patroni = Patroni(context)
    patroni.wait_primary(context["wait_seconds"])
    if gone := strangers(patroni, context):
        leave(patroni, gone, context)
        patroni = Patroni(context)
    wait_members(patroni, context)
    if "config" in changed and set_config(patroni, items["config"], context):
        look(patroni, context["loop_seconds"])
    for _ in range(ROUNDS):
        if not restart_waiting(patroni):
            return
        look(patroni, context["loop_seconds"])


def wait_members(patroni: Patroni, context: Item) -> None:
    """Until every member runs or is being copied; they come up side by side."""
    deadline = time.monotonic() + context["wait_seconds"]
    while True:
        states = {name: str(told.get("state")) for name, told in patroni.states().items()}
        missing = [name for name in patroni.members if states.get(name) not in UP]
        if not missing:
            return
        if time.monotonic() > deadline:
            said = ", ".join(f"{name}: {states.get(name, 'no answer')}" for name in missing)
            raise RemoteError(
                f"members of PostgreSQL's cluster are not up ({said}): the journal of patroni there says why. To go on "
                "without a dead host: --data without=NAME"
            )
        time.sleep(1)


def settings(patroni: Patroni) -> Item:
    """The settings in etcd by dotted name, as any member tells them."""
    for name in patroni.members:
        status, told = patroni.ask(name, "GET", "/config")
        if status == 200:
            return flat(told)
    raise RemoteError("no member of PostgreSQL's cluster tells its settings")


def flat(values: Item, prefix: str = "") -> Item:
    """Nested settings by their dotted names."""
    found: Item = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def set_config(patroni: Patroni, wanted: Item, context: Item) -> bool:
    """Bring the settings to what is wanted, strictness only once a second host has the data; whether servers read any.

    Nothing is sent where nothing differs, as in a cluster that was just made from them.
    """
    if wanted["synchronous_mode"]:
        wait_standby(patroni, context)
    present = settings(patroni)
    different: Item = dict.fromkeys(present.keys() - wanted.keys() - set(LEFT_ALONE))
    different |= {name: value for name, value in wanted.items() if name != "others" and present.get(name) != value}
    if not different:
        return False
    primary = patroni.wait_primary(context["wait_seconds"])
    status, told = patroni.ask(primary, "PATCH", "/config", nested(different), timeout=30)
    if status != 200:
        raise RemoteError(f"Patroni on {primary} did not take the cluster's settings: {status} {told}")
    print("set the cluster's settings")
    return any(name.startswith("postgresql.") for name in different)


def nested(values: Item) -> Item:
    """Settings by dotted name as Patroni takes them."""
    found: Item = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def wait_standby(patroni: Patroni, context: Item) -> None:
    """Until a replica streams: writes that wait for a second host would wait for ever before that."""
    deadline = time.monotonic() + context["wait_seconds"]
    while True:
        states = patroni.states()
        if any(told.get("replication_state") == "streaming" for told in states.values()):
            return
        if time.monotonic() > deadline:
            said = ", ".join(f"{name}: {told.get('state', '?')}" for name, told in states.items())
            raise RemoteError(
                f"no replica streams from the primary after {context['wait_seconds']} s ({said}), so writes are on one "
                "host only. Run again once a copy is complete, or look into the journal of patroni there"
            )
        time.sleep(1)

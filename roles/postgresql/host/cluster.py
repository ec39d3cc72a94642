"""What Patroni's members agree on: their settings in etcd, and that no server waits for a restart to have them.

Runs on one host of the cluster and asks the members over their REST API, so it does not matter who is primary.
"""

from __future__ import annotations

import time
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import tries
from roles.postgresql.host.patroni_api import LEADERS, Patroni, installed
from roles.postgresql.host.planned import PROBE_SECONDS, flat
from roles.postgresql.host.remove_member import leave, strangers, troubles
from roles.postgresql.host.restart import look, restart_waiting

Item = dict[str, Any]
ROUNDS = 3  # a smaller max_connections takes effect on replicas only after the primary has it
UP = ("running", "creating replica")
FAILED = ("start failed", "restart failed", "crashed", "stopped", "stopping")  # Patroni tries again each time it looks
FAILED_SECONDS, STREAM_SECONDS = 20, 30
LEFT_ALONE = ("pause",)  # an operator's own
PAUSED = (
    "Patroni is paused: nobody takes over from a primary that fails, and no setting is carried out. Once the work that "
    "it was paused for is done, on any of its hosts: patronictl -c /etc/patroni/config.yml resume"
)


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Settings by dotted name, and each member as it last told the others; nothing before Patroni is configured here.

    One question to one member: each costs Patroni and this host 50 ms, most of it for TLS.
    """
    if not installed(context):
        return {}
    patroni = Patroni(context)
    found: dict[str, Item] = {"config": settings(patroni)}
    if found["config"].get("pause"):
        return {"config": {"obstacle": PAUSED}}
    patroni.probed_primary(PROBE_SECONDS)
    for name in patroni.members.keys() & patroni.seen():
        found[f"member {name}"] = standing(patroni.seen()[name])
    found |= {f"member {name}": standing({}) for name in troubles(patroni, context)}
    planned = set(context["settings"])
    found["config"]["others"] = sorted(found["config"].keys() - planned - set(LEFT_ALONE))
    return found


def standing(told: Item) -> Item:
    """A member as the cluster lists it: whether it waits for a restart and is in step, and tags that nobody planned."""
    leads, state = told.get("role") in LEADERS, told.get("state")
    return {
        "pending_restart": bool(told.get("pending_restart")),
        "in step": state in (("running",) if leads else ("streaming", "creating replica")),
        "other tags": sorted((told.get("tags") or {}).keys() - {"config"}),
    }


def apply(change: Change) -> None:
    """Who leaves hands over; then settings, then one restart after the other where a member waits for it."""
    context = change.context
    patroni = Patroni(context)
    patroni.wait_primary(context["wait_seconds"], role="postgresql")
    if gone := strangers(patroni, context):
        leave(patroni, gone, context)
        patroni = Patroni(context)
    wait_members(patroni, context)
    if "config" in change.changed and set_config(patroni, change.items["config"], context):
        look(patroni, context["loop_seconds"])
    for name in patroni.members:
        if f"member {name}" in change.changed:
            patroni.ask(name, "POST", "/reload")  # tags that were set by hand and are no longer in its file
    for _ in range(ROUNDS):
        if not restart_waiting(patroni):
            break
        look(patroni, context["loop_seconds"])
    wait_streams(patroni)


def wait_members(patroni: Patroni, context: Item) -> None:
    """Until every member runs or is being copied; they come up side by side. Not for long where one has failed."""
    began = time.monotonic()
    for _ in tries(context["wait_seconds"], pause=1, role="postgresql"):
        states = {name: str(told.get("state")) for name, told in patroni.states().items()}
        missing = [name for name in patroni.members if states.get(name) not in UP]
        if not missing:
            return
        if time.monotonic() - began > FAILED_SECONDS and all(states.get(name) in FAILED for name in missing):
            break
    said = ", ".join(f"{name}: {states.get(name, 'no answer')}" for name in missing)
    raise RemoteError(
        f"members of PostgreSQL's cluster are not up ({said}): the journal of patroni there says why. To go on "
        "without a dead host: --data without=NAME"
    )


def wait_streams(patroni: Patroni) -> None:
    """Until every replica that runs streams from the primary; RemoteError names those that do not."""
    for _ in tries(STREAM_SECONDS, pause=1):
        states = patroni.states().items()
        behind = [
            name for name, told in states
            if told.get("role") == "replica" and told.get("state") == "running"
            and told.get("replication_state") != "streaming"
        ]  # fmt: skip
        if not behind:
            return
    raise RemoteError(
        f"{', '.join(behind)} does not stream from PostgreSQL's primary after {STREAM_SECONDS} s: the log of "
        f"PostgreSQL there (journalctl -u patroni) says why. To copy it again: pyinfra inventory "
        f"deploys/rebuild_replica.py --data host={behind[0]}"
    )


def settings(patroni: Patroni) -> Item:
    """The settings in etcd by dotted name, as any member tells them."""
    for name in patroni.members:
        status, told = patroni.ask(name, "GET", "/config")
        if status == 200:
            return flat(told)
    raise RemoteError("no member of PostgreSQL's cluster tells its settings")


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
    for _ in tries(context["wait_seconds"], pause=1, role="postgresql"):
        states = patroni.states()
        if any(told.get("replication_state") == "streaming" for told in states.values()):
            return
    said = ", ".join(f"{name}: {told.get('state', '?')}" for name, told in states.items())
    raise RemoteError(
        f"no replica streams from the primary after {context['wait_seconds']} s ({said}), so writes are on one "
        "host only. Run again once a copy is complete, or look into the journal of patroni there"
    )

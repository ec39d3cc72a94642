"""What Patroni's members share: their settings in etcd, which no server still waits to apply by a restart.

Runs on one host of the cluster and asks the members over their REST API, so any member may be primary.
"""

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
FAILED = ("start failed", "restart failed", "crashed", "stopped", "stopping")  # Patroni retries in each loop
FAILED_SECONDS, STREAM_SECONDS = 20, 30
LEFT_ALONE = ("pause",)  # an operator's decision
PAUSED = (
    "Patroni is paused: no replica takes over from a failed primary, and no setting is applied. Once the work that "
    "needed the pause is done, run on any of its hosts: patronictl -c /etc/patroni/config.yml resume"
)


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Return the settings by dotted name, and each member as the cluster lists it; nothing until Patroni is configured.

    It asks one member once: each question costs Patroni and this host 50 ms, most of it for TLS.
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
    """A member as the cluster lists it: whether it waits for a restart, whether it is in step, and unplanned tags."""
    leads, state = told.get("role") in LEADERS, told.get("state")
    return {
        "pending_restart": bool(told.get("pending_restart")),
        "in step": state in (("running",) if leads else ("streaming", "creating replica")),
        "other tags": sorted((told.get("tags") or {}).keys() - {"config"}),
    }


def apply(change: Change) -> None:
    """Have members that leave hand over, then set the settings, then restart one waiting member after the other."""
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
            patroni.ask(name, "POST", "/reload")  # drops tags that were set by hand and are no longer in its file
    for _ in range(ROUNDS):
        if not restart_waiting(patroni):
            break
        look(patroni, context["loop_seconds"])
    wait_streams(patroni)


def wait_members(patroni: Patroni, context: Item) -> None:
    """Wait until every member runs or is being copied; they start in parallel. Give up early on failed members."""
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
        f"members of PostgreSQL's cluster are not up ({said}): see the journal of patroni there. To continue "
        "without a dead host: --data without=NAME"
    )


def wait_streams(patroni: Patroni) -> None:
    """Wait until every running replica streams from the primary; RemoteError names those that do not."""
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
        f"{', '.join(behind)} does not stream from PostgreSQL's primary after {STREAM_SECONDS} s: see the log of "
        f"PostgreSQL there (journalctl -u patroni). To copy it again: pyinfra inventory "
        f"deploys/rebuild_replica.py --data host={behind[0]}"
    )


def settings(patroni: Patroni) -> Item:
    """Return the settings in etcd by dotted name, from any member."""
    for name in patroni.members:
        status, told = patroni.ask(name, "GET", "/config")
        if status == 200:
            return flat(told)
    raise RemoteError("no member of PostgreSQL's cluster returns its settings")


def set_config(patroni: Patroni, wanted: Item, context: Item) -> bool:
    """Set what differs, strictness only once a second host has the data; return whether servers read any of it.

    It sends nothing if nothing differs, as in a cluster that was just created from these settings.
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
        raise RemoteError(f"Patroni on {primary} rejected the cluster's settings: {status} {told}")
    print("set the cluster's settings")
    return any(name.startswith("postgresql.") for name in different)


def nested(values: Item) -> Item:
    """Convert settings by dotted name to Patroni's nested form."""
    found: Item = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def wait_standby(patroni: Patroni, context: Item) -> None:
    """Wait until a replica streams: before that, writes that need a second host would wait forever."""
    for _ in tries(context["wait_seconds"], pause=1, role="postgresql"):
        states = patroni.states()
        if any(told.get("replication_state") == "streaming" for told in states.values()):
            return
    said = ", ".join(f"{name}: {told.get('state', '?')}" for name, told in states.items())
    raise RemoteError(
        f"no replica streams from the primary after {context['wait_seconds']} s ({said}), so writes are on one "
        "host only. Rerun this deploy once a copy is complete, or see the journal of patroni there"
    )

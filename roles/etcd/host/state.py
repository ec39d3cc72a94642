"""This host's membership in the etcd cluster: how it joins before etcd starts, then its vote and members that left.

Runs on the host and asks the other members over the network. What the run asked on all hosts decides whether a
host without data may found a cluster (see join.py).
"""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from nexus.agent.change import Change
from nexus.agent.etcd import Etcd
from nexus.agent.file import write_atomic
from nexus.agent.lib import RemoteError, once, run
from nexus.agent.wait import repeat
from roles.etcd.host.alarm import alarm, make_room, obstacle

Item = dict[str, Any]
T = TypeVar("T")
TOKEN = "nexus-cos"


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Whether etcd can start with the data, or the members as this one knows them; nothing without data."""
    if context["about"] == "knowledge":
        return {"data": {"there": has_data("/var/lib/etcd/default")}}
    if not has_data(context["directory"]):
        return {}
    if context["about"] == "data":
        return {"data": {"usable": not expelled(context)}}
    known = seen(context) or listed(context)
    shown = [m for m in known if m["peer"] == context["peer"] or m["peer"] not in context["planned"]]
    found = {f"member {title(m, context)}": {**m, "alarm": ""} for m in shown}
    if own := found.get(f"member {context['name']}"):
        own["alarm"] = alarm(context)
        own["obstacle"] = obstacle(own["alarm"], context)
    return found


def apply(change: Change) -> None:
    """Make this host a member, or give the member its vote and remove members that left."""
    context = change.context
    if context["about"] == "data":
        enter(context)
        return
    if change.changed:
        settle(context)
        if alarm(context):
            make_room(context)
    for name in change.removed:
        patient(f"{name} to be removed", context, partial(take_out, name, context))


def has_data(directory: str) -> bool:
    """Whether etcd ever ran here."""
    return os.path.isdir(f"{directory}/member/wal")


def title(member: Item, context: Item) -> str:
    """The name of a member's item; for this host's own member the planned name, whatever it was called before."""
    if member["peer"] == context["peer"]:
        return str(context["name"])
    return str(member["name"] or member["peer"])


def agreed(context: Item) -> tuple[Etcd, list[Item]] | None:
    """Another member that can speak for the quorum, and the members as it lists them."""
    for endpoint in context["others"].values():
        try:
            other = Etcd(endpoint, context["tls"])
            return other, other.members(agreed=True)
        except (RemoteError, OSError):
            continue
    return None


def listed(context: Item) -> list[Item]:
    """Members as this one knows them; as the others do while it still learns, since then it lists none."""
    try:
        return Etcd(context["own"], context["tls"]).members(agreed=False)
    except RemoteError:
        found = agreed(context)
        if not found:
            raise
        return found[1]


def seen(context: Item) -> list[Item]:
    """Members as this one lists them, asked once for all states of a probe; nothing where it does not answer."""

    def ask() -> list[Item]:
        try:
            return Etcd(context["own"], context["tls"]).members(agreed=False)
        except RemoteError:
            return []

    found: list[Item] = once(ask, "etcd", context["own"])
    return found


def expelled(context: Item) -> bool:
    """Whether this member was removed: etcd does not answer here, and the others agree on members without it."""
    found = None if seen(context) else agreed(context)
    return found is not None and context["peer"] not in [m["peer"] for m in found[1]]


def enter(context: Item) -> None:
    """Join the cluster that another member knows, or found one if none of them does."""
    if "known_by" not in context:
        raise RemoteError(
            "etcd's data here cannot be used, but this run did not ask the other hosts: rerun this deploy"
        )
    put_aside(context)
    if not context["known_by"] and not agreed(context):
        if context["name"] != context["founder"]:
            raise RemoteError(f"found no etcd to join: {context['founder']} founds it, include it in the run")
        write_initial(context, "new", {context["name"]: context["peer"]})
        print("founding a new etcd cluster")
        return
    patient(f"etcd of {', '.join(context['known_by'] or context['others'])}", context, lambda: join(context))


def join(context: Item) -> None:
    """Become a listed member; first remove the entry of this host's lost data from the list."""
    found = agreed(context)
    if not found:
        raise RemoteError(
            "they do not answer, or lack a quorum. Start the members that are down; if a majority is lost for good, "
            "start a remaining one with --force-new-cluster"
        )
    other, members = found
    for member in members:
        if context["name"] == member["name"]:
            other.remove(member["id"])
            print(f"removed the former member {member['name']}, whose data was lost")
        elif member["peer"] not in context["planned"] and not Etcd(member["client"], context["tls"]).lives():
            other.remove(member["id"])  # no member may join while another does not answer
            print(f"removed {member['name']}, whose host left the inventory and does not answer")
    if not [m for m in members if m["peer"] == context["peer"] and not m["name"]]:
        other.add(context["peer"])
    members = other.members(agreed=True)
    names = {m["peer"]: context["name"] if m["peer"] == context["peer"] else m["name"] or m["id"] for m in members}
    write_initial(context, "existing", {name: peer for peer, name in names.items()})


def settle(context: Item) -> None:
    """Correct this member's address in the list, and promote it once it has all data."""

    def done() -> None:
        members = listed(context)
        me = next((m for m in members if m["peer"] == context["peer"] or len(members) == 1), None)
        if me is None:
            raise RemoteError(f"this host ({context['peer']}) is not in the list of members")
        if me["peer"] != context["peer"]:
            Etcd(context["own"], context["tls"]).move(me["id"], context["peer"])
        if not me["votes"]:
            found = agreed(context)
            if not found:
                raise RemoteError("no other member can speak for the quorum")
            found[0].promote(me["id"])
        Etcd(context["own"], context["tls"]).members(agreed=True)  # refused until this member, too, knows of its vote

    patient("this member to get its vote", context, done)


def take_out(name: str, context: Item) -> None:
    """Remove a member whose host left the inventory, unless the rest would then lack a quorum."""
    own = Etcd(context["own"], context["tls"])
    members = own.members(agreed=True)
    gone = [m for m in members if f"member {title(m, context)}" == name]
    rest = [m for m in members if m not in gone and m["votes"]]
    addresses = {m["name"]: m["client"] for m in rest} | context["others"] | {context["name"]: context["own"]}
    living = [m["name"] for m in rest if m["name"] and Etcd(addresses[m["name"]], context["tls"]).lives()]
    if gone and gone[0]["votes"] and len(living) * 2 <= len(rest):
        raise RemoteError(
            f"refused to remove {name} from etcd: of the {len(rest)} remaining members only {len(living)} "
            f"({', '.join(living) or 'none'}) answer, which is not a quorum. Bring the others back online first"
        )
    for member in gone:
        own.remove(member["id"])
        print(f"removed {name} from etcd")


def put_aside(context: Item) -> None:
    """Move the data of a cluster that removed this member aside, and keep it: etcd would not start with it."""
    if has_data(context["directory"]):
        run(["systemctl", "stop", "etcd"])
        kept = f"{context['directory']}.{time.strftime('%Y%m%d%H%M%S')}"
        os.rename(context["directory"], kept)
        print(f"etcd had removed this member; its old data is kept in {kept}")


def write_initial(context: Item, state: str, members: dict[str, str]) -> None:
    """Write the file that etcd reads only at its first start."""
    cluster = ",".join(f"{name}={peer}" for name, peer in sorted(members.items()))
    lines = (
        f"ETCD_INITIAL_CLUSTER={cluster}",
        f"ETCD_INITIAL_CLUSTER_TOKEN={TOKEN}",
        f"ETCD_INITIAL_CLUSTER_STATE={state}",
    )
    write_atomic(context["initial"], ("\n".join(lines) + "\n").encode(), 0o644)


def patient(what: str, context: Item, attempt: Callable[[], T]) -> T:
    """Retry until it works: members join one after the other, and a new one must learn first."""
    seconds = context["wait_seconds"]
    return repeat(attempt, seconds, f"waited {seconds} s for {what}", pause=1, role="etcd")

"""The primary, found on a host: its servers follow the primary, and its Sentinel watches it with all others.

The Sentinels are asked first; the answer with the newest configuration epoch wins. If none knows a primary, as
at the very first start, all servers are asked: the primary is the one that others follow, else the one that
holds keys, else the first of the inventory, so that every host finds the same one. A server or Sentinel that
does not answer is waited for, never guessed about. A server with its own keys is never made to drop them.
"""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat, tries
from roles.redis.host.client import ReplyError
from roles.redis.host.server import condition, settle
from roles.sentinel.host.promote import promote
from roles.sentinel.host.view import NotYetError, View

Item = Mapping[str, Any]
NOBODY = ("127.0.0.1", 1)
SET = ("quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs")
LINKED = ("sync", "connected")
INFO_SECONDS = 10  # how often a Sentinel asks a primary for its replicas, from when it begins to watch it


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Return what this host's Sentinel and servers say; nothing if they were never configured."""
    if not os.path.exists(context["configured"]):
        return {}
    found: dict[str, dict[str, Any]] = {}
    try:
        for name, instance in context["instances"].items():
            view = View(context, instance)
            server = view.server()
            role = server("ROLE")
            if watched := view.watched():
                found[f"watch over {name}"] = watched
                joined, linked = view.follows(role) == watched["master"], role[0] == "master" or role[3] in LINKED
                found[f"replication of {name}"] = {"joined": joined, "linked": linked}
            found[f"server of {name}"] = condition(server, instance)
    except TimeoutError:
        raise RemoteError(
            "Redis or Sentinel of this host does not answer in time: it hangs, or all its clients are paused (CLIENT "
            "PAUSE ... ALL), which expires"
        ) from None
    except (OSError, ReplyError) as error:
        raise RemoteError(f"Redis or Sentinel of this host cannot be queried: {error}") from None
    return found


def apply(change: Change) -> None:
    """Reset servers to their files, have them follow the primary and the Sentinel watch it; wait for all others."""
    context = change.context
    views = {name: View(context, instance) for name, instance in context["instances"].items()}
    for name, view in views.items():
        if f"server of {name}" in change.changed:
            wait(context, partial(settle_server, context["instances"][name]), view)
    masters = {
        name: str(wait(context, find, view))
        for name, view in views.items()
        if f"replication of {name}" in change.changed or f"watch over {name}" in change.changed
    }
    for name, master in masters.items():
        follow(views[name], master)  # copies are made in parallel
    for name, master in masters.items():
        wait(context, expect_primary if master == views[name].address else expect_link, views[name])
        watch(views[name], context["sentinel"], change.items[f"watch over {name}"], master)
    for view in views.values():
        forget(context, view)
        wait(context, expect_complete, view)


def settle_server(instance: Item, view: View) -> None:
    """Reset what was changed by hand at this host's server."""
    settle(view.server(), instance, view.name)


def wait(context: Item, attempt: Callable[[View], Any], view: View) -> Any:
    """The result of an attempt that is repeated while hosts come up; RemoteError when time is up."""
    late = f"{view.name}: after {context['wait_seconds']} s"
    again = (NotYetError, OSError, ReplyError)
    return repeat(lambda: attempt(view), context["wait_seconds"], late, role="sentinel", on=again)


def find(view: View) -> str:
    """Address of the primary, the same on every host that asks."""
    voices = [view.voice(address) for address in view.there]
    if known := [voice for voice in voices if voice]:
        return max(known)[1]
    nodes = {address: view.node(address) for address in view.there}
    followed = {follows for follows, _ in nodes.values() if follows in nodes}
    holders = {address for address, (follows, keys) in nodes.items() if keys and not follows}
    candidates = sorted(followed or holders)
    if len(candidates) > 1:
        names = ", ".join(view.hosts[str(address)] for address in candidates)
        raise RemoteError(
            f"{view.name}: no Sentinel knows the primary, and more than one server may be it: {names}. Decide whose "
            f"keys stay; on the others, as nexus-admin: redis-cli -s {view.path} FLUSHALL. Then rerun this deploy"
        )
    return str(next(iter([*candidates, *view.there])))


def follow(view: View, master: str) -> None:
    """Make this host's server a replica of the primary, unless it is the primary or follows it already."""
    followed, server = view.followed(), view.server()
    if master not in (followed, view.address):
        keys = server("DBSIZE")
        if followed == view.address and keys and not view.remembered():
            raise RemoteError(
                f"{view.name}: this host's Redis holds {keys} keys of its own, and the primary is "
                f"{view.hosts.get(master, master)}, whose keys would replace them. Save what is needed, then "
                f"here, as nexus-admin: redis-cli -s {view.path} FLUSHALL, and rerun this deploy"
            )
        server("REPLICAOF", master, view.port)
        server("CONFIG", "REWRITE")


def expect_primary(view: View) -> None:
    """Require that this host's server is a primary."""
    if view.followed() != view.address:
        raise NotYetError("the Sentinels call this host's Redis the primary, but it follows another one")


def expect_link(view: View) -> None:
    """Require that this host's server is linked to its primary."""
    role = view.server()("ROLE")
    if role[0] != "slave" or role[3] not in LINKED:
        raise NotYetError(f"this host's Redis has no link to its primary; its role is {role[:4]}")


def watch(view: View, login: Sequence[str], wanted: Item, master: str) -> None:
    """Have this host's Sentinel watch the primary as planned."""
    sentinel, watched = view.sentinel(), view.watched()
    if watched and (watched["port"] != view.port or watched["master"] != master):
        sentinel("SENTINEL", "REMOVE", view.name)
    if not watched or watched["port"] != view.port or watched["master"] != master:
        expect_replicas(view, master)
        sentinel("SENTINEL", "MONITOR", view.name, master, view.port, wanted["quorum"])
    user, password = login
    for key, value in [*((key, wanted[key]) for key in SET), ("auth-user", user), ("auth-pass", password)]:
        sentinel("SENTINEL", "SET", view.name, key, value)


def expect_replicas(view: View, master: str) -> None:
    """Wait for replicas to reach the primary, but no longer than a Sentinel takes to ask again."""
    for _ in tries(INFO_SECONDS, pause=0.2):
        with contextlib.suppress(NotYetError):
            if set(view.there) <= {master, *view.replicas(master)}:
                return


def forget(context: Item, view: View) -> None:
    """Have this host's Sentinel forget hosts that left, in its turn and while nothing else is under way.

    A Sentinel that forgets cannot take part in a failover until it has found the others again, so each waits
    for those before it in the inventory. The first host moves the primary to a host that stays. Servers that
    left and still run are detached: they keep their data, and the Sentinels do not find them again.
    """
    watched = view.watched()
    if not watched["stale"]:
        return
    first = view.there[0] == view.address
    if first and watched["master"] not in view.hosts:
        promote(view, heir(view), force="down" in watched["flags"])
    wait(context, expect_calm, view)
    if stale := view.watched()["stale"]:
        for address in stale if first else []:
            part(view, address)
        view.sentinel()("SENTINEL", "RESET", view.name)


def heir(view: View) -> str:
    """Address of a host that stays and has a copy."""
    for address in map(str, view.there):
        if view.node(address)[0] is not None:
            return address
    raise RemoteError(f"{view.name}: no host that stays has a copy of what the primary holds")


def part(view: View, address: str) -> None:
    """Have a host that left watch and follow no server, if it still runs.

    It stays a replica, so that nobody writes to it, and its keys count as a copy if it joins again.
    """
    with contextlib.suppress(OSError, ReplyError):
        view.sentinel(address)("SENTINEL", "REMOVE", view.name)
    with contextlib.suppress(OSError, ReplyError):
        server = view.server(address)
        server("REPLICAOF", *NOBODY)
        server("CONFIG", "REWRITE")
        print(f"{view.name}: the Redis of {address} left and keeps its data; it takes no more writes")


def expect_calm(view: View) -> None:
    """Require a healthy primary of the inventory, and that the hosts before this one have forgotten all that left."""
    watched = view.watched()
    if watched["flags"] != "master" or watched["master"] not in view.hosts:
        raise NotYetError(f"{watched['flags']} at {watched['master']}: hosts cannot be forgotten now")
    for address in view.there[: view.there.index(view.address)]:
        if view.strangers(address):
            raise NotYetError(f"the Sentinel of {view.hosts[address]} must forget hosts first")


def expect_complete(view: View) -> None:
    """Require that every server and Sentinel of the inventory is known here, and no other."""
    watched = view.watched()
    if names := [view.hosts[address] for address in watched["missing"]]:
        raise NotYetError(f"this host's Sentinel did not find {', '.join(names)}: include them in the run")
    if watched["stale"]:
        raise NotYetError(
            f"{', '.join(watched['stale'])} left the inventory but still runs: stop its Redis and Sentinel"
        )

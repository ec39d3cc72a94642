"""The lock on its host: a file, and a key in etcd as soon as etcd answers.

Runs on the host, in parallel with steps under way. A new holder gets a number higher than any before. Anyone may take
a lock that was not renewed in time; its old holder may continue only if nobody has taken it since.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from nexus.agent.lib import STATE, RemoteError, held
from nexus.lock.host.etcd_lock import NoRoom, Quorum

Item = dict[str, Any]
FILE = f"{STATE}/lock.json"
TURN = "/run/nexus-cos/lock.turn"
FREE: Item = {"number": 0, "holder": None}


def one_at_a_time(action: Callable[[Item], Item]) -> Callable[[Item], Item]:
    """Make each action on the lock wait for the one before."""

    def alone(context: Item) -> Item:
        with held(TURN):
            return action(context)

    return alone


@one_at_a_time
def take(context: Item) -> Item:
    """{"number", "where"} for the new holder, or {"held": the current holder}."""
    quorum, own = Quorum(context["etcd"]), _read()
    if _alive(own, context) and own["holder"]["token"] != context["holder"]["token"]:
        return {"held": own["holder"]}
    found = quorum.read()
    if found and found["holder"] and found["holder"]["token"] != context["holder"]["token"]:
        return {"held": found["holder"]}
    number = max(context["floor"], own["number"], found["number"] if found else 0) + 1
    try:
        if found and not quorum.put(number, context["holder"], context["seconds"]):
            again = quorum.read()
            return {"held": (again or {}).get("holder") or {"who": "another run", "since": "just now"}}
    except NoRoom:  # the run that frees space needs the lock: until then only the file holds it
        found = None
    _write({"number": number, "holder": context["holder"], **_now()})
    return {"number": number, "where": "etcd" if found else "file", "silent": quorum.silent}


@one_at_a_time
def renew(context: Item) -> Item:
    """{"where"} if the lock is still ours, otherwise {"lost": reason}."""
    quorum, own = Quorum(context["etcd"]), _read()
    if own["number"] > context["number"] or (own["holder"] or context["holder"])["token"] != context["holder"]["token"]:
        return {"lost": _whose(own)}
    if own["number"] == context["number"] and not own["holder"]:  # a renewal that arrives after the release
        return {"lost": "this run has released it"}
    found = quorum.read()
    try:
        ours = not found or _ours(found, context)
        if not ours and not quorum.put(context["number"], context["holder"], context["seconds"]):
            return {"lost": _whose(quorum.read() or found or own)}
    except NoRoom:
        found = None
    if found:
        quorum.keep_alive()
    _write({"number": context["number"], "holder": context["holder"], **_now()})
    return {"where": "etcd" if found else "file"}


@one_at_a_time
def release(context: Item) -> Item:
    """Release the lock if it is ours; always {}."""
    own = _read()
    if own["holder"] and own["holder"]["token"] == context["holder"]["token"]:
        _write({"number": own["number"], "holder": None})
    quorum = Quorum(context["etcd"])
    found = quorum.read()
    if found and _ours(found, context):
        quorum.clear(found["number"])
    return {}


@one_at_a_time
def look(context: Item) -> Item:
    """{"number", "holder", "where", "silent"} of the current lock."""
    return _look(context)


def _look(context: Item) -> Item:
    quorum, own = Quorum(context["etcd"]), _read()
    found = quorum.read()
    holder = (found and found["holder"]) or (own["holder"] if _alive(own, context) else None)
    number = max(own["number"], found["number"] if found else 0)
    return {"number": number, "holder": holder, "where": "etcd" if found else "file", "silent": quorum.silent}


@one_at_a_time
def force_release(context: Item) -> Item:
    """Take the lock away from its holder, by a number that the holder cannot renew; {"from": the old holder}.

    With "of", only from the holder of this token: another run may hold the lock by now.
    """
    stood, quorum = _look(context), Quorum(context["etcd"])
    if "of" in context and (not stood["holder"] or stood["holder"]["token"] != context["of"]):
        return {"from": None}
    if quorum.read():
        quorum.clear(stood["number"] + 1)
    _write({"number": stood["number"] + 1, "holder": None})
    return {"from": stood["holder"]}


def _ours(found: Item, context: Item) -> bool:
    return bool(found["holder"]) and found["holder"]["token"] == context["holder"]["token"]


def _whose(found: Item) -> str:
    if holder := found["holder"]:
        return f"{holder['who']} has held it since {holder['since']}: {holder['purpose']}"
    return "deploys/unlock.py took it away, or another run has held it since"


def _alive(own: Item, context: Item) -> bool:
    """Whether the file's holder renewed it in time, by this host's clock; a boot restarts that time."""
    if not own["holder"]:
        return False
    now = _now()
    age = now["renewed"] - own["renewed"] if own["boot"] == now["boot"] else now["renewed"]
    return bool(age < context["seconds"])


def _now() -> Item:
    with open("/proc/sys/kernel/random/boot_id", errors="replace") as stream:
        return {"boot": stream.read().strip(), "renewed": time.clock_gettime(time.CLOCK_BOOTTIME)}


def _read() -> Item:
    try:
        with open(FILE, errors="replace") as stream:
            found: Item = {**FREE, **json.load(stream)}
            return found
    except FileNotFoundError:
        return dict(FREE)
    except ValueError:
        raise RemoteError(f"{FILE} cannot be read: make sure that no run is under way, then remove it") from None


def _write(content: Item) -> None:
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    fresh = f"{FILE}.new"
    with open(fresh, "w", opener=lambda path, flags: os.open(path, flags, 0o644)) as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(fresh, FILE)

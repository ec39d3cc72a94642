"""The lock on its host: a file, and beside it a key in etcd as soon as there is one that answers.

Runs on the host, beside steps under way. Whoever takes the lock gets a number higher than any before; one
that was not renewed in time is anybody's, and who had it may go on only while nobody else has taken it since.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from roles.kit.agent.base import STATE, RemoteError, held
from roles.lock.quorum import Quorum

Item = dict[str, Any]
FILE = f"{STATE}/lock.json"
TURN = "/run/nexus-cos/lock.turn"
FREE: Item = {"number": 0, "holder": None}


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """{"lock": what came of one of take, renew, release, look, break}."""
    actions = {"take": take, "renew": renew, "release": release, "look": look, "break": break_open}
    with held(TURN):
        return {"lock": actions[names[0]](context)}


def take(context: Item) -> Item:
    """{"number", "where"} for the new holder, or {"held": who has it}."""
    quorum, own = Quorum(context["etcd"]), _read()
    if _alive(own, context) and own["holder"]["token"] != context["holder"]["token"]:
        return {"held": own["holder"]}
    found = quorum.read()
    if found and found["holder"] and found["holder"]["token"] != context["holder"]["token"]:
        return {"held": found["holder"]}
    number = max(context["floor"], own["number"], found["number"] if found else 0) + 1
    if found and not quorum.put(number, context["holder"], context["seconds"]):
        again = quorum.read()
        return {"held": (again or {}).get("holder") or {"who": "another run", "since": "just now"}}
    _write({"number": number, "holder": context["holder"], **_now()})
    return {"number": number, "where": "etcd" if found else "file", "silent": quorum.silent}


def renew(context: Item) -> Item:
    """{"where"} while it is still ours, else {"lost": why}."""
    quorum, own = Quorum(context["etcd"]), _read()
    if own["number"] > context["number"] or (own["holder"] or context["holder"])["token"] != context["holder"]["token"]:
        return {"lost": _whose(own)}
    found = quorum.read()
    if found and not _ours(found, context) and not quorum.put(context["number"], context["holder"], context["seconds"]):
        return {"lost": _whose(quorum.read() or found)}
    if found:
        quorum.keep_alive()
    _write({"number": context["number"], "holder": context["holder"], **_now()})
    return {"where": "etcd" if found else "file"}


def release(context: Item) -> Item:
    """Give back what is ours; {} in any case."""
    own = _read()
    if own["holder"] and own["holder"]["token"] == context["holder"]["token"]:
        _write({"number": own["number"], "holder": None})
    quorum = Quorum(context["etcd"])
    found = quorum.read()
    if found and _ours(found, context):
        quorum.clear(found["number"])
    return {}


def look(context: Item) -> Item:
    """{"number", "holder", "where", "silent"} as it stands."""
    quorum, own = Quorum(context["etcd"]), _read()
    found = quorum.read()
    holder = (found and found["holder"]) or (own["holder"] if _alive(own, context) else None)
    number = max(own["number"], found["number"] if found else 0)
    return {"number": number, "holder": holder, "where": "etcd" if found else "file", "silent": quorum.silent}


def break_open(context: Item) -> Item:
    """Take the lock from whoever has it, with a number that its holder can never renew; {"from": who had it}.

    With "of" only from the holder of this token: another one may have it by now.
    """
    stood, quorum = look(context), Quorum(context["etcd"])
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
        return f"{holder['who']} holds it since {holder['since']}: {holder['purpose']}"
    return "it was taken away by deploys/unlock.py, or another run has had it since"


def _alive(own: Item, context: Item) -> bool:
    """Whether the file's holder renewed it in time, by this host's own clock; after a boot it gets its time anew."""
    if not own["holder"]:
        return False
    now = _now()
    age = now["renewed"] - own["renewed"] if own["boot"] == now["boot"] else now["renewed"]
    return bool(age < context["seconds"])


def _now() -> Item:
    with open("/proc/sys/kernel/random/boot_id") as stream:
        return {"boot": stream.read().strip(), "renewed": time.clock_gettime(time.CLOCK_BOOTTIME)}


def _read() -> Item:
    try:
        with open(FILE) as stream:
            found: Item = {**FREE, **json.load(stream)}
            return found
    except FileNotFoundError:
        return dict(FREE)
    except ValueError:
        raise RemoteError(f"{FILE} cannot be read: when no run is under way, remove it") from None


def _write(content: Item) -> None:
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    fresh = f"{FILE}.new"
    with open(fresh, "w", opener=lambda path, flags: os.open(path, flags, 0o644)) as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(fresh, FILE)

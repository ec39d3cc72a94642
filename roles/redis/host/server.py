"""A running Redis server, compared with its files: settings and users changed by hand, and why it refuses writes.

CONFIG SET and ACL SETUSER last only until the server's next start, so nobody can rely on them and a run resets
them. A pause of its clients ends without help, and full memory needs a person: a run only reports these.
"""

import re
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.wait import tries
from roles.redis.host.client import Client, ReplyError, pairs

Item = Mapping[str, Any]
IMPLIED = ("reset", "resetchannels", "resetkeys", "resetpass", "sanitize-payload")  # of every user that we write
UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "": 1}
SIZE = re.compile(r"(\d+)(kb|mb|gb|)")
PAUSE_SECONDS = 1
SAVE_SECONDS = 60


def condition(server: Client, wanted: Item) -> dict[str, Any]:
    """Return what differs from the files, and an obstacle if writes are refused and no run may change that.

    `wanted` is {"settings": {name: value}, "users": lines of the ACL file, "cli": a person's command for it}.
    """
    info = told(server)
    found: dict[str, Any] = {
        "settings": different(server, wanted),
        "users": strange(server, wanted),
        "saves": saves(info),
    }
    if paused(server):
        found["obstacle"] = (
            "its clients are paused (CLIENT PAUSE), so no write gets through. The pause expires; to end it now, run "
            f"there: {wanted['cli']} CLIENT UNPAUSE"
        )
    elif full(info) and "maxmemory" not in found["settings"]:
        found["obstacle"] = (
            f"its memory is full ({int(info['used_memory']) >> 20} MiB) and it evicts nothing, so it refuses writes: "
            f"`{wanted['cli']} --bigkeys` there lists the largest keys; delete keys that nobody needs, or raise "
            "redis_memory_percent"
        )
    return found


def settle(server: Client, wanted: Item, name: str) -> None:
    """Set settings and users as in the files, and retry a failed snapshot; RemoteError if that fails."""
    for key in different(server, wanted):
        value = wanted["settings"][key]
        try:
            server("CONFIG", "SET", key, value)
        except ReplyError as error:
            what = f"{key} differs from its file and cannot be set while the server runs"
            raise RemoteError(f"{name}: {what}: {error}") from None
        print(f"{name}: {key} had been changed by hand; reset it to its file's value")
    if strange(server, wanted):
        server("ACL", "LOAD")
        print(f"{name}: users had been changed by hand; loaded them from their file again")
    if not saves(told(server)):
        save(server, name)


def save(server: Client, name: str) -> None:
    """Make a snapshot: until one succeeds the server refuses writes."""
    try:
        server("BGSAVE")
    except ReplyError as error:
        if "in progress" not in str(error):
            raise
    for _ in tries(SAVE_SECONDS, pause=0.2):
        if (info := told(server)).get("rdb_bgsave_in_progress") != "1":
            break
    if not saves(info):
        (_, place) = server("CONFIG", "GET", "dir")
        raise RemoteError(
            f"{name}: Redis cannot save to {place}, so it refuses writes: look there for a full disk, a read-only "
            "mount or files of another owner, and in the journal of its unit. Fix the cause and rerun this deploy"
        )
    print(f"{name}: the last snapshot had failed, a new one succeeded")


def told(server: Client) -> dict[str, str]:
    """The figures of INFO by name."""
    return dict(line.split(":", 1) for line in server("INFO").splitlines() if ":" in line)


def saves(info: Item) -> bool:
    """Whether the last snapshot and the last write of the log succeeded."""
    states = {info.get("rdb_last_bgsave_status", "ok"), info.get("aof_last_write_status", "ok")}
    return states == {"ok"}


def full(info: Item) -> bool:
    """Whether it refuses writes because its memory is full."""
    most, used = int(info["maxmemory"]), int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
    return 0 < most <= used and str(info.get("maxmemory_policy")) == "noeviction"


def paused(server: Client) -> bool:
    """Whether writes wait: an empty script waits with them. The connection cannot be used afterwards."""
    try:
        server.within(PAUSE_SECONDS, "EVAL", "return 1", 0)
    except TimeoutError:
        return True
    except ReplyError:
        return False
    return False


def different(server: Client, wanted: Item) -> list[str]:
    """Names of settings that are not as in the files."""
    there = pairs(server("CONFIG", "GET", *wanted["settings"]))
    return sorted(name for name, value in wanted["settings"].items() if name in there and not same(value, there[name]))


def same(value: str, shown: str) -> bool:
    """Whether two spellings mean the same: sizes are shown in bytes."""
    one, other = SIZE.fullmatch(value.lower()), SIZE.fullmatch(shown.lower())
    if one and other:
        return int(one[1]) * UNITS[one[2]] == int(other[1]) * UNITS[other[2]]
    return value == shown


def strange(server: Client, wanted: Item) -> list[str]:
    """Names of users that are not as in their file, or not in it."""
    there = dict(map(user, server("ACL", "LIST")))
    planned = dict(map(user, wanted["users"]))
    return sorted(name for name in there.keys() | planned.keys() if there.get(name) != planned.get(name))


def user(line: str) -> tuple[str, frozenset[str]]:
    """Name and rules of a line of an ACL file, in whatever order."""
    _, name, *words = line.split()
    rules = {word for word in words if word not in IMPLIED}
    if not any(word[0] in "+-" for word in rules):
        rules.add("-@all")
    return name, frozenset(rules)

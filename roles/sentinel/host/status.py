"""Runs on a host: reports what its Sentinel and its servers say of each instance of Redis. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from roles.redis.host.server import condition, saves, told
from roles.sentinel.host.view import View

Item = Mapping[str, Any]
Answer = dict[str, Any]


def redis(context: Item) -> Answer:
    """{instance: what this host's Sentinel and server say of it}."""
    return {name: _instance(View(context, one), one) for name, one in context["instances"].items()}


def _instance(view: View, one: Item) -> Answer:
    own = view.server()
    info = told(own)
    server = {
        "role": info["role"],
        "offset": int(info.get("slave_repl_offset") or info["master_repl_offset"]),
        "linked": info.get("master_link_status", "up") == "up",
        "silent_seconds": int(info.get("master_last_io_seconds_ago", 0)),
        "full": int(info["maxmemory"]) and int(info["used_memory"]) * 100 // int(info["maxmemory"]),
        "saves": saves(info),
    }
    watched = view.watched()
    return {
        "server": server,
        "primary": watched.get("master", ""),
        "flags": watched.get("flags", ""),
        "quorum": str(view.sentinel()("SENTINEL", "CKQUORUM", one["master"])) if watched else "",
        "missing": watched.get("missing", []),
        "own": condition(own, one),
        "stale": watched.get("stale", []),
    }


PARTS = {"redis": redis}

"""What HAProxy should have in memory by its configuration, compared with its answers at its socket."""

import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nexus.plan.desired import State

SOURCE = Path(__file__).parent / "host/state.py"
SECTION = re.compile(r"^ *(listen|frontend|backend) (\S+)$", re.MULTILINE)
SERVER = re.compile(r"^ +server (\S+) (\S+)(.*)$", re.MULTILINE)
MOST = re.compile(r" maxconn (\d+)")
PLANNED = {"by_hand": "nothing"}


def sections_of(config: str) -> dict[str, dict[str, Any]]:
    """{section: {"listens": bool, "servers": {name: {"address", "connections"}}}} of a configuration."""
    found = {}
    heads = list(SECTION.finditer(config))
    for head, following in zip_longest(heads, heads[1:]):
        end = following.start() if following else len(config)
        servers = {name: _server(address, rest) for name, address, rest in SERVER.findall(config, head.end(), end)}
        found[head[2]] = {"listens": head[1] != "backend", "servers": servers}
    return found


def _server(address: str, rest: str) -> dict[str, Any]:
    most = MOST.search(rest)
    return {"address": address, "connections": int(most[1]) if most else 0}


def state(context: dict[str, Any], config: str) -> State:
    """The state of a running HAProxy with this configuration; `context` says how to reach it."""
    sections = sections_of(config)
    items = {f"proxy section {name}": PLANNED for name in sections} | {"proxy limits": PLANNED}
    return State("proxy", SOURCE, items, context={**context, "sections": sections})

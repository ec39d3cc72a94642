"""What an agent is started with and told: one command, everything else over standard input, a line each."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from roles.kit.lean import lean

AGENT = Path(__file__).with_name("agent")
# What starts the modules, then each one's name and source: as parts of a text, since Python takes 1.5 ms to read them
# as parts of a program. A shell is given this between quotes of either kind, so it has none of its own.
READ = (
    "import binascii,sys,zlib;"
    "sent=zlib.decompress(binascii.a2b_base64(sys.stdin.readline())).decode().split(chr(0));exec(sent[0])"
)
# Isolated and without site packages: nothing on the host changes what runs, and it starts in 15 ms.
PYTHON = f'exec python3 -ISc "{READ}"'
COMMAND = (
    "command -v python3 >/dev/null || "
    '{ cat >/dev/null; echo "python3 is missing: apt-get install python3" >&2; exit 1; }; '
    f"{PYTHON}"
)
BOOT = """
import gc, sys, types
gc.disable()
for name in ("roles", "roles.kit", "roles.kit.agent"):
    sys.modules[name] = types.ModuleType(name)
loading = sys.modules["roles.kit.agent.loading"] = types.ModuleType(sent[1])
exec(sent[2], loading.__dict__)
for name, source in zip(sent[3::2], sent[4::2]):
    loading.learn(name, source)
sys.modules["roles.kit.agent.main"].main(stays={stays})
"""
QUESTIONS = ("probe", "traits", "contents", "ask", "aside", "times")
# Modules of the agent, each after those that it imports. What a request has no use for stays at home.
ASKING = ("loading", "base", "web", "unread", "bus", "systemd", "check", "probe", "main")
CLAIMING = ("loading", "base", "file", "fence", "main")
CHANGING = ("loading", "base", "web", "unread", "bus", "systemd", "check", "file", "unit", "step", "fence", "main")
SENT = {**dict.fromkeys(QUESTIONS, ASKING), "claim": CLAIMING}
END = "\0"  # begins the line that ends the answer of an agent that stays, on both of its outputs


@cache
def agent(names: tuple[str, ...], stays: bool = False) -> str:
    """The agent of these modules as it is sent; one that `stays` takes one request after another."""
    boot = BOOT.format(stays=stays)
    parts = [boot, *(part for module in sources(names) for part in module)]
    return base64.b64encode(zlib.compress("\0".join(parts).encode())).decode()


def sources(names: Iterable[str]) -> list[tuple[str, str]]:
    """Modules of the agent by name, as they are sent."""
    return [(name, lean(AGENT / f"{name}.py")) for name in names]


def needed(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules of the agent that a request needs."""
    return SENT.get(request["do"], CHANGING)


def lines(request: Mapping[str, Any]) -> list[str]:
    """Standard input for one request: the agent, then the request."""
    return [agent(needed(request)), sealed(request)]


def sealed(request: Mapping[str, Any]) -> str:
    """A request as a line."""
    return base64.b64encode(zlib.compress(json.dumps(request).encode(), 1)).decode()

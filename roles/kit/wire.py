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
READ = "import base64,sys,zlib;exec(zlib.decompress(base64.b64decode(sys.stdin.readline())))"
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
first, *others = {modules!r}
loading = sys.modules["roles.kit.agent.loading"] = types.ModuleType(first[0])
exec(first[1], loading.__dict__)
for name, source in others:
    loading.learn(name, source)
sys.modules["roles.kit.agent.main"].main(stays={stays})
"""
QUESTIONS = ("probe", "traits", "contents", "ask", "aside", "times")
ASKING = ("loading", "base", "unread", "bus", "systemd", "probe")  # one imports those before
CLAIMING = ("file", "fence")
CARRYING_OUT = ("file", "fence", "unit", "step")
END = "\0"  # begins the line that ends the answer of an agent that stays, on both of its outputs


@cache
def agent(modules: Iterable[str], stays: bool = False) -> str:
    """The agent as it is sent: what only steps need stays at home when a host is merely asked."""
    text = BOOT.format(modules=sources((*modules, "main")), stays=stays)
    return base64.b64encode(zlib.compress(text.encode())).decode()


def sources(modules: Iterable[str]) -> list[tuple[str, str]]:
    """Modules of the agent by name, as they are sent."""
    return [(name, lean(AGENT / f"{name}.py")) for name in modules]


def needed(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules of the agent that a request needs beside those of a question."""
    if request["do"] in QUESTIONS:
        return ()
    return CLAIMING if request["do"] == "claim" else CARRYING_OUT


def lines(request: Mapping[str, Any]) -> list[str]:
    """Standard input for one request: the agent, then the request."""
    return [agent((*ASKING, *needed(request))), sealed(request)]


def sealed(request: Mapping[str, Any]) -> str:
    """A request as a line."""
    return base64.b64encode(zlib.compress(json.dumps(request).encode(), 1)).decode()

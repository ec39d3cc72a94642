"""The protocol of agents: one command starts an agent, everything else is sent over standard input, a line each.

Every request has "do", of one of three kinds: nexus/agent says what they may do. A request may also have "fence" (the
number of its run), "debug" (show where an unexpected error comes from) and "commands" (print what is run and written).
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nexus.agent import ASKING, CHANGING, CLAIMING
from nexus.plan.desired import owner
from nexus.plan.sent import code

AGENT = Path(__file__).parents[1] / "agent"
# Starts the modules: BOOT, then name and source of each are parts of a text, since Python takes 1.5 ms to read them
# as parts of a program. The shell gets this between quotes of either kind, so it must not contain any.
READ = (
    "import base64,sys,zlib;"
    "sent=zlib.decompress(base64.b64decode(sys.stdin.readline())).decode().split(chr(0));exec(sent[0])"
)
# Isolated and without site packages: nothing on the host affects what runs, and Python starts in 15 ms.
# In UTF-8 whatever the host's locale: names with invalid bytes are read and written back unchanged.
PYTHON = f'exec python3 -X utf8 -ISc "{READ}"'
COMMAND = (
    "command -v python3 >/dev/null || "
    '{ cat >/dev/null; echo "python3 is missing: apt-get install python3" >&2; exit 1; }; '
    f"{PYTHON}"
)
BOOT = """
import sys, types
for name in ("nexus", "nexus.agent"):
    sys.modules[name] = types.ModuleType(name)
importer = sys.modules["nexus.agent.importer"] = types.ModuleType(sent[1])
exec(sent[2], importer.__dict__)
for name, source in zip(sent[3::2], sent[4::2]):
    importer.learn(name, source)
sys.modules["nexus.agent.main"].main(stays={stays})
"""
QUESTIONS = ("probe", "traits", "contents", "ask", "standing")
SENT = {**dict.fromkeys(QUESTIONS, ASKING), "claim": CLAIMING}
SENT |= {do: (*ASKING[:-1], module, "main") for do, module in {"simulate": "apt", "times": "since"}.items()}
END = "\0"  # begins the line that ends a reply of an agent that stays, on both outputs


def question(
    source: Path, names: Sequence[str], context: Mapping[str, Any], named: Iterable[str] = ()
) -> dict[str, Any]:
    """The request for a probe of host-side code; `named` are modules that it imports by names in its context."""
    return {"do": "ask", **code(source, named=named), "names": list(names), "context": dict(context)}


def action(source: Path, function: str, context: Mapping[str, Any], alone: bool) -> dict[str, Any]:
    """The request for an action: a function of host-side code, `alone` or in parallel with steps under way."""
    about = {"do": "action", "name": owner(source), "function": function, "alone": alone}
    return {**about, **code(source, apply=True), "context": dict(context)}


@cache
def agent(names: tuple[str, ...], stays: bool = False) -> str:
    """The agent made of these modules, as a line; an agent that `stays` takes one request after another."""
    boot = BOOT.format(stays=stays)
    parts = [boot, *(part for module in sources(names) for part in module)]
    return base64.b64encode(zlib.compress("\0".join(parts).encode())).decode()


def sources(names: Iterable[str]) -> list[tuple[str, str]]:
    """Name and source of modules of the agent."""
    return [(name, (AGENT / f"{name}.py").read_text()) for name in names]


def needed(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules of the agent that a request needs."""
    return SENT.get(request["do"], CHANGING)


def lines(request: Mapping[str, Any]) -> list[str]:
    """Standard input for one request: the agent, then the request."""
    return [agent(needed(request)), sealed(request)]


def sealed(request: Mapping[str, Any]) -> str:
    """A request as a line."""
    return base64.b64encode(zlib.compress(json.dumps(request).encode(), 1)).decode()

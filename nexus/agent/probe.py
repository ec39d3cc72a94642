"""Answers: the state of everything on this host that a question names."""

import contextlib
import functools
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nexus.agent import kernel
from nexus.agent.importer import load
from nexus.agent.lib import MANIFEST, listing, read_fence, read_manifest, refusal
from nexus.agent.obstacle import obstacles
from nexus.agent.parallel import Answers
from nexus.agent.systemd import log, units, waits

DOWN = ("failed", "inactive")
YOUNG_SECONDS, CRASHED_SECONDS = 2.0, 8.0  # a unit that crashes at its start has crashed by then
SETTLE_SECONDS = 20.0


def probe(question: Mapping[str, Any]) -> dict[str, Any]:
    """Answer for everything that the question names."""
    states = told(question["states"], question["texts"])
    answers = Answers({name: functools.partial(ask, name, wanted) for name, wanted in states.items()})
    kinds = told(question["kinds"], question["texts"])
    found = {
        kind: load(kind, wanted["source"], wanted["libraries"])["probe"](wanted["names"])
        for kind, wanted in kinds.items()
    }
    return {
        **found,
        "obstacles": obstacles(found.get("paths", {}), bool(kinds["packages"]["names"])),
        "traits": traits(),
        "fence": read_fence(),
        "states": answers.wait(),
        "checks": {role: refusal(command) for role, command in question["checks"].items()},
        "manifest": {name[:-5]: read_manifest(name[:-5]) for name in listing(MANIFEST) if name.endswith(".json")},
        "time": time.time(),
    }


def traits() -> dict[str, Any]:
    """Facts about the host that plans need and cannot choose."""
    with open("/proc/meminfo", errors="replace") as stream:
        memory = int(stream.readline().split()[1]) * 1024
    with open("/proc/net/route", errors="replace") as stream:
        routes = [line.split() for line in stream][1:]
    device = next((route[0] for route in routes if route[1] == "00000000"), None)
    mtu = 1500
    if device:
        with open(f"/sys/class/net/{device}/mtu", errors="replace") as stream:
            mtu = int(stream.read())
    controllers = ""
    with contextlib.suppress(OSError), open("/sys/fs/cgroup/cgroup.controllers", errors="replace") as stream:
        controllers = stream.read()
    return {
        "cpus": os.cpu_count() or 1,
        "memory_bytes": memory,
        "mtu": mtu,
        "gpus": len([name for name in listing("/dev") if name.startswith("nvidia") and name[6:].isdigit()]),
        "architecture": os.uname().machine,
        "docker": {name: name in controllers.split() for name in ("memory", "cpu")},
    }


def ask(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The role's answer about its state; an error is an answer too, which the operator will see."""
    try:
        return {"items": load(name, wanted["source"], wanted["libraries"])["probe"](wanted["names"], wanted["context"])}
    except OSError as error:
        return {"items": {}, "error": kernel.explained(error)}
    except Exception as error:
        return {"items": {}, "error": f"{type(error).__name__}: {error}"}


def told(states: Mapping[str, Mapping[str, Any]], texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The states with their code, which they refer to by its index in the texts."""
    return {
        name: {
            **wanted,
            "source": texts[wanted["source"]],
            "libraries": [[module, texts[place]] for module, place in wanted["libraries"]],
        }
        for name, wanted in states.items()
    }


def standing(request: Mapping[str, Any]) -> dict[str, Any]:
    """{unit: last lines of its log} of units that do not run, once units just started have been up for a moment.

    A unit that systemd does not know belongs to a role that no run has deployed here yet.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        known = units(request["units"])
        found = {name: unit for name, unit in known.items() if unit["LoadState"] != "not-found"}
        young = [name for name, unit in found.items() if _young(unit)]
        down = [name for name, unit in found.items() if unit["ActiveState"] in DOWN or waits(unit)]
        late = time.monotonic() > deadline
        if down or not young or late:
            return {"down": {name: log(name) for name in (*down, *(young if late else ()))}}
        time.sleep(0.2)


def _young(unit: Mapping[str, Any]) -> bool:
    """Whether a service has not been up long enough to count as stable; one that crashed needs longer."""
    stays = YOUNG_SECONDS if not unit.get("restarts") else CRASHED_SECONDS
    return bool(unit["ActiveState"] == "deactivating" or unit.get("up", stays) < stays)


def contents(wanted: Iterable[str]) -> dict[str, str]:
    """Text of files for a diff. Files that cannot be read are left out; long ones are cut."""
    found = {}
    for path in wanted:
        with contextlib.suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read(200_000)
            found[path] = text
    return found

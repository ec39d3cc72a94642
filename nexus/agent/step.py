"""Steps: what a run does to this host. Each can be repeated after a kill at any point."""

import json
import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import remove, write_atomic
from nexus.agent.importer import load
from nexus.agent.lib import MANIFEST, read_manifest, run

Request = Mapping[str, Any]
UNIT_FILES = "/etc/systemd/system/"


def step_items(request: Request) -> None:
    """Apply the items of one kind that differ, with the kind's host-side code."""
    load(request["kind"], request["source"], request["libraries"])["step"](request)


def step_state(request: Request) -> None:
    about = Change(request["items"], request["changed"], request["removed"], request["context"], request["payload"])
    load(request["name"], request["source"], request["libraries"])["apply"](about)


def step_record(request: Request) -> None:
    """Record what is about to become ours before it is made, so that a kill in between leaves nothing unrecorded."""
    os.makedirs(MANIFEST, mode=0o700, exist_ok=True)
    recorded = read_manifest(request["role"])
    for kind, names in request["manifest"].items():
        recorded[kind] = {**names, **recorded.get(kind, {})}
    _write(request["role"], recorded)


def step_forget(request: Request) -> None:
    """Remove what an earlier run made and the plan no longer names, then record exactly the plan.

    For kinds in `anyway` this includes what was there before us, such as units that a package had enabled: a store's
    daemon must not continue without the configuration that makes it a member of its cluster.
    """
    planned, recorded = request["manifest"], read_manifest(request["role"])
    removed: list[str] = []
    for kind, code in request["kinds"]:
        ours = {name for name, made in recorded.get(kind, {}).items() if made or kind in request["anyway"]}
        gone = sorted(ours - set(planned.get(kind, ())), reverse=True)  # a directory's content before the directory
        for name in gone:
            load(kind, **code)["remove"](name)
        removed += gone
    if any(name.startswith(UNIT_FILES) for name in removed):
        run(["systemctl", "daemon-reload"])
    if planned:
        kept = {kind: {name: recorded.get(kind, {}).get(name, False) for name in planned[kind]} for kind in planned}
        _write(request["role"], kept)
    else:
        remove(f"{MANIFEST}/{request['role']}.json")


def _write(role: str, manifest: Mapping[str, Any]) -> None:
    write_atomic(f"{MANIFEST}/{role}.json", json.dumps(manifest, indent=1, sort_keys=True).encode())

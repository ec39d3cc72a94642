"""Runs on a host with backups: calls its installed program, for an act or a question."""

import json
import os
import subprocess
import sys
from typing import Any

from nexus.agent.file import read_json
from nexus.agent.lib import RemoteError, listing
from roles.backup.host.paths import LIBRARY, RECORDS

LONG = ("holds", "last_ok", "points")
Item = dict[str, Any]


def probe(names: list[str], context: Item) -> dict[str, Item]:
    """Records of the host ("records"), what can be restored ("listed"), or whether a unit still works ("unit")."""
    found: dict[str, Item] = {}
    if "records" in names:
        found["records"] = records()
    if "listed" in names:
        found["listed"] = json.loads(program(context, ["roles.backup.host.restore", "list"], subprocess.PIPE))
    if "unit" in names:
        argv = ["systemctl", "show", "--property=ActiveState,Result,ExecMainStartTimestampMonotonic", context["unit"]]
        told = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=30, check=True).stdout
        found["unit"] = dict(line.split("=", 1) for line in told.splitlines())
    return found


def carry_out(context: Item) -> None:
    """Run the program with these arguments; its output is shown as it comes."""
    program(context, [f"roles.backup.host.{context['program']}", *context["words"]], None)


def program(context: Item, words: list[str], stdout: int | None) -> str:
    """Run a part of the program; RemoteError with its last words if it failed."""
    if not os.path.isdir(LIBRARY):
        raise RemoteError(f"{LIBRARY} is missing: run deploys/data.py first, which installs the restore program")
    done = subprocess.run(
        ["/usr/bin/python3", "-X", "utf8", "-m", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd="/",
        env={**os.environ, "PYTHONPATH": LIBRARY, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise RemoteError("\n".join(lines[-12:]) or f"{words[0]} ended with {done.returncode}")
    sys.stdout.flush()
    return done.stdout or ""


def records() -> Item:
    """The record of the last backup of each kind that ran on this host; other files are skipped."""
    told = [read_json(f"{RECORDS}/{name}") for name in listing(RECORDS) if name.endswith(".json")]
    return {
        record["kind"]: {key: value for key, value in record.items() if key not in LONG}
        for record in told
        if "finished_at" in record
    }

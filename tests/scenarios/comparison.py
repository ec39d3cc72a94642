"""What a failed assertion should show: where two answers differ, and what runs with an old configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from roles.postgresql.host.scram import matches


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """Every place where two nested answers differ, as `place: before -> after`; empty when they agree."""
    return list(_walk(before, after, where))


def _walk(before: Any, after: Any, where: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _walk(before.get(key), after.get(key), f"{where}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        gone = [item for item in before if item not in after]
        new = [item for item in after if item not in before]
        if gone or new:
            yield f"{where}: {str(gone)[:300]} -> {str(new)[:300]}"
    elif before != after:
        yield f"{where}: {str(before)[:200]} -> {str(after)[:200]}"


# Files that always differ between two machines: their own ids and keys, backups of the account files, and the stack
# with the digests of its images, since services are compared by images.
OWN = re.compile(
    r"/etc/(machine-id|nexus-cos/stack.yaml|ssh/ssh_host_.*|(group|gshadow|passwd|shadow|subuid|subgid)-|ssl/.*snakeoil.*)$"
)


def of_any_build(state: dict[str, Any], superuser: str) -> dict[str, Any]:
    """The state without what a reinstalled host has differently: images by name only, since it builds them with other
    digests, no files of the machine itself, and PostgreSQL's superuser by password, which the server salts."""
    text = re.sub(r"@sha256:[0-9a-f]{64}", "@digest", json.dumps(state))
    told: dict[str, Any] = json.loads(re.sub(r'(nexus\.hash\\": \\")[0-9a-f]+', r"\1hash", text))
    for host in told.values():
        host["files"] = {path: about for path, about in host["files"].items() if not OWN.match(path)}
        if stores := host["postgresql"]:
            stores["roles"] = [_by_password(row, superuser) for row in stores["roles"]]
    return told


def _by_password(row: str, password: str) -> str:
    about, _, verifier = row.rpartition("|")
    return f"{about}|the password" if about.startswith("postgres|") and matches(verifier, password) else row


def stale(state: dict[str, Any]) -> list[str]:
    """Daemons on all hosts that do not run, or run with another configuration than the one on disk."""
    found = []
    for host, told in state.items():
        found += [f"{host}: {what}" for what in (*told["stale"], *told["failed units"])]
        if told["postgresql"]:
            waiting = (*told["postgresql"]["pending"], *told["postgresql"]["not applied"])
            found += [f"{host}: PostgreSQL does not run with {what}" for what in waiting]
        for program in ("nginx", "router"):
            if told[program] and not told[program]["runs with what is on disk"]:
                found.append(f"{host}: {program} runs with another configuration than the one on disk")
    return found

"""How a unit differs from what a probe found, and the drop-in that stamps what a service was started with.

Pure functions: they see data, never a host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from roles.kit.item import Answer, Differences
from roles.kit.model import Desired, File, Unit

DROP_IN = "50-nexus-cos.conf"
TOLD = ("name", "restart_on", "reload_on", "reload_check", "restart_check", "ready_check")


def reads(unit: Unit) -> tuple[str, ...]:
    """All files whose content decides whether the unit runs with what lies on disk."""
    return (*unit.restart_on, *unit.reload_on)


def drop_in(unit: Unit) -> File:
    """Stamp the hashes of what the unit reads just before it starts: a service, nothing else has a start to stamp.

    The section that systemd leaves alone tells programs on the host how the unit takes its files: the unit as JSON.
    """
    if "." in unit.name and not unit.name.endswith(".service"):
        raise ValueError(f"unit {unit.name} is no service and cannot be restarted after its files")
    paths = " ".join(sorted(reads(unit)))
    stamp = (
        f"mkdir -p /run/nexus-cos/stamp && sha256sum {paths} >/run/nexus-cos/stamp/{unit.name} 2>/dev/null"
    )
    said = json.dumps({name: value for name, value in asdict(unit).items() if name in TOLD})
    content = f"[Service]\nExecStartPre=-+/bin/sh -c '{stamp}'\n\n[X-Nexus-COS]\nUnit={said}\n"
    return File(
        f"/etc/systemd/system/{unit.name}.service.d/{DROP_IN}".replace(".service.service", ".service"),
        content,
    )


def compare_units(
    found: Differences,
    units: Iterable[Unit],
    answer: Answer,
    planned: Mapping[str, str],
    changed: set[str],
) -> None:
    different = []
    for unit in units:
        actual = answer["units"].get(unit.name, {})
        how = unit_difference(unit, actual, answer, planned)
        if reads(unit) and drop_in(unit).path in changed and not how:
            how = ["drop-in changed"]
        if how:
            found.add(f"unit {unit.name}", ", ".join(how))
            on = actual.get("UnitFileState") in (
                "enabled",
                "enabled-runtime",
                "static",
                "indirect",
                "generated",
            )
            different.append(
                asdict(unit) | {"enable": unit.enabled and not on, "disable": not unit.enabled and on}
            )
    if different:
        if found.steps and found.steps[-1]["do"] == "files":
            found.steps[-1] |= {"units_follow": True}  # they have systemd read its unit files once for both
        found.steps.append({"do": "units", "units": different})


def unit_difference(
    unit: Unit, actual: Mapping[str, Any], answer: Answer, planned: Mapping[str, str]
) -> list[str]:
    """The ways in which a unit is not as planned, in words; empty when it is."""
    state = actual.get("UnitFileState", "")
    active = actual.get("ActiveState", "inactive")
    if unit.masked:
        return [] if state == "masked" else ["should be masked"]
    how = []
    if unit.enabled and state in ("disabled", "masked", "", "bad"):
        how.append("is not enabled")
    if not unit.enabled and state == "enabled":
        how.append("should not be enabled")
    if not unit.running:
        return [*how, "should not run"] if active == "active" else how
    if active not in ("active", "reloading", "activating"):
        return [*how, f"is {active}, should run"]
    if actual.get("NeedDaemonReload") == "yes":
        how.append("runs with an older unit file")
    stamp = actual.get("stamp")
    for verb, paths in (("restart", unit.restart_on), ("reload", unit.reload_on)):
        older = [path for path in paths if (stamp or {}).get(path) != expected(path, answer, planned)]
        if older:
            how.append(f"{verb}: runs with an older {', '.join(older)}")
    return how


def restarts_in_service(plan: Desired, found: Differences) -> bool:
    """Whether a daemon is to be restarted that does its work here.

    One of which no file of the role is there yet was never in service: its package has started it.
    """
    missing = {change.what for change in found.changes if change.how == "is missing"}
    files = {f"file {item.path}" for item in plan.files}
    if files and files <= missing:
        return False
    return any(change.how.startswith(("restart", "runs with an older")) for change in found.changes)


def expected(path: str, answer: Answer, planned: Mapping[str, str]) -> str | None:
    """Digest that a file will have once all roles of its host are laid down."""
    if path in planned:
        return planned[path]
    actual = answer["paths"].get(path)
    return actual[4] if actual and actual[0] == "file" else None

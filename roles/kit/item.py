"""How each kind of item differs from what a probe found, in words, and the step that mends it.

Pure functions: they see data, never a host.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from roles.kit.model import Change, Desired, File, State, Unit

Answer = Mapping[str, Any]  # what agent.probe.probe returns
DROP_IN = "50-nexus-cos.conf"


@dataclass
class Differences:
    """Changes for people to read and steps for the agent to carry out, in order."""

    changes: list[Change] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was found and is left alone
    files: list[File] = field(default_factory=list)  # those whose content differs, for --diff

    def add(self, what: str, how: str) -> None:
        self.changes.append(Change(what, how))


def reads(unit: Unit) -> tuple[str, ...]:
    """All files whose content decides whether the unit runs with what lies on disk."""
    return (*unit.restart_on, *unit.reload_on)


def drop_in(unit: Unit) -> File:
    """Stamp the hashes of what the unit reads just before it starts: a service, nothing else has a start to stamp."""
    if "." in unit.name and not unit.name.endswith(".service"):
        raise ValueError(f"unit {unit.name} is no service and cannot be restarted after its files")
    paths = " ".join(sorted(reads(unit)))
    stamp = (
        f"mkdir -p /run/nexus-cos/stamp && sha256sum {paths} >/run/nexus-cos/stamp/{unit.name} 2>/dev/null"
    )
    content = f"[Service]\nExecStartPre=-+/bin/sh -c '{stamp}'\n"
    return File(
        f"/etc/systemd/system/{unit.name}.service.d/{DROP_IN}".replace(".service.service", ".service"),
        content,
    )


def _file_difference(item: File, actual: list[Any] | None) -> str | None:
    if actual is None:
        return "is missing"
    kind, mode, owner, group, content = actual
    if kind != "file":
        return f"is a {kind}, should be a file"
    parts = []
    if content != item.sha256:
        parts.append("content differs")
    if mode != item.mode:
        parts.append(f"mode {mode:04o} -> {item.mode:04o}")
    if (owner, group) != (item.owner, item.group):
        parts.append(f"owner {owner}:{group} -> {item.owner}:{item.group}")
    return ", ".join(parts) or None


def _wire(item: File) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in ("path", "owner", "group", "mode")}
    return {**values, "data": base64.b64encode(item.data).decode()}


def compare_early(found: Differences, files: Iterable[File], answer: Answer) -> None:
    different = []
    for item in files:
        if how := _file_difference(item, answer["paths"].get(item.path)):
            found.add(f"file {item.path}", how)
            found.files.append(item)
            different.append(_wire(item))
    if different:
        found.steps.append({"do": "files", "files": different, "directories": [], "links": [], "absent": []})


def compare_packages(found: Differences, packages: Iterable[str], answer: Answer) -> None:
    missing = sorted({name for name in packages if answer["packages"].get(name) != "installed"})
    for name in missing:
        found.add(f"package {name}", answer["packages"].get(name, "is not installed"))
    if missing:
        found.steps.append({"do": "packages", "packages": missing, "update": bool(found.steps)})


def compare_accounts(found: Differences, plan: Desired, answer: Answer) -> None:
    groups = [group.name for group in plan.groups if group.name not in answer["groups"]]
    users = []
    for user in plan.users:
        actual = answer["users"].get(user.name)
        if actual is None:
            found.add(f"user {user.name}", "is missing")
        elif missing := set(user.groups) - set(actual):
            found.add(f"user {user.name}", f"is not in group {', '.join(sorted(missing))}")
        else:
            continue
        users.append(asdict(user))
    for name in groups:
        found.add(f"group {name}", "is missing")
    if groups or users:
        found.steps.append({"do": "accounts", "groups": groups, "users": users})


def compare_files(found: Differences, plan: Desired, answer: Answer) -> set[str]:
    directories, files, links, absent = [], [], [], []
    for directory in plan.directories:
        actual = answer["paths"].get(directory.path)
        wanted = ["directory", directory.mode, directory.owner, directory.group, None]
        if actual != wanted:
            found.add(f"directory {directory.path}", _directory_difference(actual, wanted))
            directories.append(asdict(directory))
    for item in plan.files:
        if how := _file_difference(item, answer["paths"].get(item.path)):
            found.add(f"file {item.path}", how)
            found.files.append(item)
            files.append(_wire(item))
    for link in plan.links:
        actual = answer["paths"].get(link.path)
        if actual is None or (actual[0], actual[4]) != ("link", link.target):
            found.add(f"link {link.path}", f"-> {link.target}")
            links.append(asdict(link))
    for path in plan.absent:
        if answer["paths"].get(path) is not None:
            found.add(f"path {path}", "should not be there")
            absent.append(path)
    if directories or files or links or absent:
        found.steps.append(
            {"do": "files", "directories": directories, "files": files, "links": links, "absent": absent}
        )
    return {item["path"] for item in files}


def _directory_difference(actual: list[Any] | None, wanted: list[Any]) -> str:
    if actual is None:
        return "is missing"
    if actual[0] != "directory":
        return f"is a {actual[0]}, should be a directory"
    return f"{actual[1]:04o} {actual[2]}:{actual[3]} -> {wanted[1]:04o} {wanted[2]}:{wanted[3]}"


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


def expected(path: str, answer: Answer, planned: Mapping[str, str]) -> str | None:
    """Digest that a file will have once all roles of its host are laid down."""
    if path in planned:
        return planned[path]
    actual = answer["paths"].get(path)
    return actual[4] if actual and actual[0] == "file" else None


def compare_state(found: Differences, state: State, answer: Answer) -> None:
    reply = answer["states"].get(state.name, {"items": {}})
    actual: Mapping[str, Mapping[str, Any]] = reply["items"]
    changed = []
    silent = "error" in reply
    if silent and state.items:  # nothing is known of it, so all of it is laid down again
        found.add(f"state of {state.name}", f"could not be asked: {reply['error']}")
    for name, properties in state.items.items():
        present = actual.get(name)
        if present is None:
            if not silent:
                found.add(name, "is missing")
        elif different := [key for key, value in properties.items() if present.get(key) != value]:
            found.add(name, _properties(different, present, properties))
        else:
            continue
        changed.append(name)
    extra = [name for name in actual if name not in state.items] if state.extra != "keep" else []
    removed = extra if state.extra == "remove" else []
    for name in extra:
        if state.extra == "remove":
            found.add(name, "no longer planned, removed")
        else:
            found.notes.append(f"{name}: no longer planned, kept (remove it with --data prune_data=true)")
    if changed or removed:
        found.steps.append(
            {
                "do": "state",
                "name": state.name,
                **state.code(),
                "items": {name: dict(values) for name, values in state.items.items()},
                "changed": changed,
                "removed": removed,
                "context": dict(state.context),
                "payload": dict(state.payload),
                "timeout": state.timeout_seconds,
            }
        )


def _properties(different: list[str], present: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    parts = []
    for key in different:
        old, new = present.get(key), wanted[key]
        short = isinstance(old, bool | int | type(None)) and isinstance(new, bool | int)
        parts.append(f"{key} {old} -> {new}" if short else f"{key} differs")
    return ", ".join(parts)

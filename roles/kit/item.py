"""How each kind of item differs from what a probe found, in words, and the step that mends it.

Pure functions: they see data, never a host.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from roles.kit.model import Change, Desired, File, State

Answer = Mapping[str, Any]  # what agent.probe.probe returns


@dataclass
class Differences:
    """Changes for people to read and steps for the agent to carry out, in order."""

    changes: list[Change] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was found and is left alone
    files: list[File] = field(default_factory=list)  # those whose content differs, for --diff

    def add(self, what: str, how: str) -> None:
        self.changes.append(Change(what, how))


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


def compare_state(found: Differences, state: State, answer: Answer) -> None:
    if state.observed and state.name not in answer["states"]:
        return  # it is asked when its role's turn comes
    reply = answer["states"].get(state.name, {"items": {}})
    actual: Mapping[str, Mapping[str, Any]] = reply["items"]
    changed = []
    silent = "error" in reply
    if silent and state.items:  # nothing is known of it, so all of it is laid down again
        found.add(f"state of {state.name}", f"could not be asked: {reply['error']}")
    for name, properties in state.items.items():
        present = actual.get(name)
        if present and present.get("note"):
            found.notes.append(f"{name}: {present['note']}")
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
                **state.code(apply=True),
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

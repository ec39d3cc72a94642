"""Every planned item of a host in words, as it is and as it should be, with nothing secret in them.

Pure functions. Words are short and the same for the same state, so that they can be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from roles.kit.item import Answer
from roles.kit.model import Desired, File, State, Unit
from roles.kit.unit import expected, reads

Mark = Callable[[str], str]  # what tells a secret text from others and gives nothing away
Pair = tuple[str, str]  # (before, after); "" for what is not there
ON = ("enabled", "enabled-runtime", "static", "indirect", "generated")
RUNS = ("active", "reloading", "activating")
HASH = re.compile(r"[0-9a-fA-F]{12,}|[\w+/=-]{24,}")
IMAGE = re.compile(r"^([\w./:-]+@sha256:[0-9a-f]{12})[0-9a-f]{52}$")


def items(plan: Desired, answer: Answer, planned: Mapping[str, str], mark: Mark) -> dict[str, Pair]:
    """{item as changes name it: (before, after)} of all that a role wants of a host, changed or not."""
    return dict(_all(plan, answer, planned, mark))


def _all(plan: Desired, answer: Answer, planned: Mapping[str, str], mark: Mark) -> Iterator[tuple[str, Pair]]:
    paths = answer["paths"]
    secret = {item.path for item in (*plan.early, *plan.files) if item.secret}
    for item in (*plan.early, *plan.files):
        yield f"file {item.path}", (_path(paths.get(item.path), item.path in secret, mark), _file(item, mark))
    for directory in plan.directories:
        wanted = ["directory", directory.mode, directory.owner, directory.group, None]
        found = paths.get(directory.path)
        yield f"directory {directory.path}", (_path(found, False, mark), _path(wanted, False, mark))
    for link in plan.links:
        yield f"link {link.path}", (_path(paths.get(link.path), False, mark), f"link to {link.target}")
    for path in plan.absent:
        yield f"path {path}", (_path(paths.get(path), False, mark), "")
    for package in sorted(set(plan.packages)):
        yield f"package {package}", (answer["packages"].get(package, ""), "installed")
    for group in plan.groups:
        yield f"group {group.name}", ("there" if group.name in answer["groups"] else "", "there")
    for user in plan.users:
        member = answer["users"].get(user.name)
        own = sorted(set(member or ()) & set(user.groups))
        yield f"user {user.name}", ("" if member is None else _user(own), _user(sorted(user.groups)))
    for unit in plan.units:
        yield f"unit {unit.name}", _unit(unit, answer, planned, mark)
    for state in plan.states:
        if not state.observed:
            yield from _state(state, answer, mark)


def _user(groups: list[str]) -> str:
    return f"in {', '.join(groups)}" if groups else "there"


def _file(item: File, mark: Mark) -> str:
    return _path(["file", item.mode, item.owner, item.group, item.sha256], item.secret, mark)


def _path(found: list[Any] | None, secret: bool, mark: Mark) -> str:
    if found is None:
        return ""
    kind, mode, owner, group, content = found
    if kind == "link":
        return f"link to {content}"
    text = f"{mode:04o} {owner}:{group}"
    if kind != "file":
        return f"{kind} {text}"
    return f"{text} {f'secret {mark(content)}' if secret else content[:12]}"


def _unit(unit: Unit, answer: Answer, planned: Mapping[str, str], mark: Mark) -> Pair:
    actual = answer["units"].get(unit.name, {})
    state = actual.get("UnitFileState", "")
    if unit.masked:
        return ("masked" if state == "masked" else "not masked", "masked")
    active = actual.get("ActiveState", "inactive")
    before = [state if state in ("masked", "") else "enabled" if state in ON else "disabled"]
    before.append("running" if active in RUNS else active)
    after = ["enabled" if unit.enabled else "disabled", "running" if unit.running else "inactive"]
    if not unit.running and active not in RUNS:
        before[1] = "inactive"
    if actual.get("NeedDaemonReload") == "yes":
        before.append("with an older unit file")
    if unit.running and reads(unit):
        stamp = actual.get("stamp") or {}
        if active in RUNS:
            before.append(f"with {mark(json.dumps([stamp.get(path) for path in reads(unit)]))}")
        after.append(f"with {mark(json.dumps([expected(path, answer, planned) for path in reads(unit)]))}")
    return ", ".join(filter(None, before)), ", ".join(after)


def _state(state: State, answer: Answer, mark: Mark) -> Iterator[tuple[str, Pair]]:
    reply = answer["states"].get(state.name, {"items": {}})
    found: Mapping[str, Mapping[str, Any]] = reply["items"]
    for name, wanted in state.items.items():
        present = found.get(name)
        before = "" if present is None else _properties({key: present.get(key) for key in wanted}, mark)
        yield name, ("not known" if "error" in reply else before, _properties(wanted, mark))
    if state.extra == "remove":
        for name in found.keys() - state.items.keys():
            yield name, ("there", "")


def _properties(values: Mapping[str, Any], mark: Mark) -> str:
    return ", ".join(f"{key} {_value(values[key], mark)}" for key in sorted(values)) or "there"


def _value(value: Any, mark: Mark) -> str:
    """A value as it may be shown: what could be a hash of a secret becomes another that nobody can turn back."""
    if isinstance(value, bool | int | float | type(None)):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if image := IMAGE.match(text):
        return image[1]
    return f"({mark(text)})" if len(text) > 80 or HASH.search(text) else text or '""'

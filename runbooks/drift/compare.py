"""The differences as data: a line for each item that is not as planned."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nexus.audit.storage import read
from nexus.error import OperatorError
from nexus.run import plan_document
from nexus.run.output import file_lines
from nexus.run.run import Run

Line = dict[str, Any]
MOST_LINES = 60  # of one file's difference


def hosts(run: Run) -> dict[str, Line]:
    """{host: {"compared": number of items, "why": the reason if some were not compared, "lines": differences}}."""
    found: dict[str, Line] = {}
    for host in run.environment.hosts:
        found[host.name] = {"groups": sorted(host.groups - {"all"}), "compared": 0, "why": "", "lines": []}
        try:
            if not run.hosts.reaches(host.name):
                raise OperatorError(f"{host.name} could not be reached")
            _compare(run, host.name, found[host.name])
        except OperatorError as error:
            found[host.name]["why"] = str(error)
    return found


def _compare(run: Run, name: str, into: Line) -> None:
    for role in run.hosts.roles(name):
        if teller := run.hosts.untold(role):
            into["why"] = f"{role} was not compared: {teller}, which knows its images, could not be reached"
            continue
        pairs = plan_document.of_role(run, name, role)
        observed = {item for state in run.hosts.plan(name, role).states if state.observed for item in state.items}
        into["compared"] += len(pairs)
        different = run.hosts.compare(name, role)
        lines = file_lines(run, name, different.files)
        for change in (*different.changes, *different.told):
            before, after = _differing_parts(change.what, *pairs.get(change.what, ("", "")))
            into["lines"].append(
                {
                    "host": name, "role": role, "item": change.what, "how": change.how,
                    "before": before, "after": after, "observed": change.what in observed,
                    "lines": lines.get(change.what.removeprefix("file "), [])[:MOST_LINES],
                }
            )  # fmt: skip
        for unit in run.hosts.plan(name, role).units:
            if unit.has_failed(run.hosts.answer(name)):
                about = _strange(name, f"unit {unit.started}", "failed when its timer last started it", "failed")
                into["lines"].append({**about, "role": role, "observed": True})
    for role in run.hosts.abandoned(name):
        how = "no longer concerns this host; a run would remove its items"
        into["lines"].append(
            {"host": name, "role": role, "item": f"role {role}", "how": how, "before": "there", "after": ""}
        )
    for path in run.hosts.left(name):
        into["lines"].append(_strange(name, f"file {path}", "left by a run that was killed", "there"))
    for package, state in run.hosts.unfinished(name).items():
        into["lines"].append(_strange(name, f"package {package}", f"{state}, to be configured", state))
    _date(run, name, into["lines"])


def _strange(name: str, item: str, how: str, before: str) -> Line:
    """A difference that belongs to no role's plan and that a run would fix."""
    return {"host": name, "role": "base", "item": item, "how": how, "before": before, "after": ""}


def _differing_parts(item: str, before: str, after: str) -> tuple[str, str]:
    """For an item with many properties, those that differ; files, units and the like are short enough whole."""
    if item.startswith(("file ", "directory ", "unit ", "user ")) or not (before and after):
        return before, after
    old, new = before.split(", "), after.split(", ")
    return (
        ", ".join(part for part in old if part not in new) or before,
        ", ".join(part for part in new if part not in old) or after,
    )


def _date(run: Run, name: str, lines: list[Line]) -> None:
    """Add to each line since when the item is as it is, if the host knows."""
    kinds = {"file": "paths", "directory": "paths", "link": "paths", "path": "paths"}
    kinds |= {"unit": "units", "package": "packages"}
    wanted: dict[str, list[str]] = {"paths": [], "units": [], "packages": []}
    for line in lines:
        kind, _, what = line["item"].partition(" ")
        if kind in kinds:
            wanted[kinds[kind]].append(what)
    known = run.hosts.ask(name, {"do": "times", **wanted}) if any(wanted.values()) else {}
    told = [state["items"] for state in run.hosts.answer(name)["states"].values()]
    for line in lines:
        kind, _, what = line["item"].partition(" ")
        if kind in kinds:
            line["since"] = known[kinds[kind]].get(what)
        else:
            line["since"] = next((_moment(items[line["item"]]) for items in told if line["item"] in items), None)


def _moment(properties: Mapping[str, Any]) -> float | None:
    """When an item of a role's state was changed, if the role reports it as ISO 8601 under "since"."""
    text = properties.get("since")
    return datetime.fromisoformat(text).timestamp() if text else None


def touched(run: Run) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The run that last touched an item, by (host, item): {"time", "who", "purpose", "how", "died"}."""
    since = time.time() - 86400 * int(run.environment.setting.drift_record_days)
    try:
        lines, _, silent = read(run.environment, since)
    except OperatorError as error:
        lines, silent = [], [str(error)]
    for name in silent:
        run.outcome.note("record", f"{name}: its part of the audit record is unknown")
    return _touched(lines)


def _touched(lines: list[Line]) -> dict[tuple[str, str], Mapping[str, Any]]:
    begun = {line["run"]: line for line in lines if line["event"] == "begin"}
    ended = {line["run"]: line for line in lines if line["event"] == "end"}
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for token, begin in begun.items():
        about = {key: begin[key] for key in ("time", "who", "purpose", "number")}
        changes = ended[token]["changes"] if token in ended else begin["intended"]
        for host, entries in changes.items():
            for _, item, how, *_ in entries:
                found[host, item] = {**about, "how": how, "died": token not in ended}
    return found

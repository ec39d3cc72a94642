"""The record, asked: which runs there were, and what they changed on a host or of an item."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from roles.kit.aside import ask_aside
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook.since import moment

from .place import SOURCE, places

Line = dict[str, Any]


def history() -> None:
    """Show the record instead of a run."""
    setting = Run.current.environment.setting
    moment(str(setting.since), time.time())
    if setting.host:
        Run.current.environment.host(str(setting.host))
    Run.current.report = show


def show(run: Run) -> int:
    """Print runs and their changes; exit status 1 where the record was tampered with."""
    setting = run.environment.setting
    lines, broken = read(run.environment, moment(str(setting.since), time.time()))
    runs = [found for found in join(lines) if _concerns(found, str(setting.host), str(setting.item))]
    shown = runs if setting.since else runs[-int(setting.history_runs) :]
    for found in shown:
        click.echo(tell(found, str(setting.host), str(setting.item)))
    for place in broken:
        click.secho(f"{place}: this line, or the one before it, is not what was written", fg="red")
    known = f"{len(shown)} of {len(runs)} runs" if len(shown) < len(runs) else f"{len(runs)} runs"
    click.echo(f"{run.environment.name}: {known}{f' since {setting.since}' if setting.since else ''}")
    return 1 if broken else 0


def read(env: Environment, since: float) -> tuple[list[Line], list[str]]:
    """(lines since then, places where the chain is broken) of all hosts that have a part of the record."""
    lines: list[Line] = []
    broken: list[str] = []
    reached = 0
    for name in places(env):
        try:
            # a run is told by its first line, which may be older than what happened in it
            answer = ask_aside(name, SOURCE, "read", {"since": since - 86400})["record"]
        except OperatorError as error:
            click.secho(str(error), fg="yellow", err=True)
            continue
        reached += 1
        lines += answer["lines"]
        broken += [f"{name}: {place}" for place in answer["broken"]]
    if not reached:
        raise OperatorError(f"none of {', '.join(places(env))} answers, where the record of {env.name} is kept")
    ended = {line["run"] for line in lines if line["time"] >= since}
    return sorted((line for line in lines if line["run"] in ended), key=lambda line: line["time"]), broken


def join(lines: list[Line]) -> list[Line]:
    """One entry for each run: its first line with its end, if it had one, under "end" and "died"."""
    runs: dict[str, Line] = {}
    for line in lines:
        if line["event"] == "begin":
            runs[line["run"]] = {**line, "end": None, "died": False}
        elif line["run"] in runs:
            runs[line["run"]].update({"end": line} if line["event"] == "end" else {"died": True})
    return list(runs.values())


def changes(found: Line, host: str = "", item: str = "") -> dict[str, list[str]]:
    """{host: changes of this run in words}, of a host and of items with a word in them where these are given."""
    end = found["end"]
    told: dict[str, list[str]] = {}
    for name, entries in (end["changes"] if end else found["intended"]).items():
        told[name] = [
            f"{f'{role}: ' if role else ''}{what}: {how}{'' if all(done) else ' (not done)'}"
            for role, what, how, *done in entries
        ]
    for name, commands in (end or {}).get("commands", {}).items():
        told.setdefault(name, []).extend(f"command: {command}" for command in commands)
    chosen = {name: [text for text in texts if item.lower() in text.lower()] for name, texts in told.items()}
    return {name: texts for name, texts in chosen.items() if texts and host in ("", name)}


def _concerns(found: Line, host: str, item: str) -> bool:
    return not (host or item) or bool(changes(found, host, item))


def tell(found: Line, host: str = "", item: str = "") -> str:
    """One run in words."""
    end, told = found["end"], changes(found, host, item)
    commit = f", commit {found['commit'][:10]}{' and more' if found['dirty'] else ''}" if found["commit"] else ""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found["time"]))
    lines = [f"{when}  {found['who']}: {found['purpose']}", f"  run {found['number']}{commit}, {_outcome(found)}"]
    if services := _services(found):
        lines.append(f"  releases: {services}")
    about = "" if end else ", which it was about to change"
    for name, texts in told.items():
        lines.append(f"  {name}{about}")
        lines += [f"    {text}" for text in texts]
    return "\n".join(lines) + "\n"


def _outcome(found: Line) -> str:
    if end := found["end"]:
        return f"{end['outcome']} after {end['seconds']} s"
    return "died before its end" if found["died"] else "under way, or dead and not followed by another run yet"


def _services(found: Line) -> str:
    after: Mapping[str, str] = (found["end"] or {}).get("services", {})
    texts = [f"{name} {found['services'].get(name) or 'new'} -> {now or 'gone'}" for name, now in after.items()]
    return ", ".join(sorted(texts))

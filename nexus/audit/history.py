"""Questions to the audit record: which runs there were, and what they changed on a host or of an item."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from nexus.audit.storage import Line, read
from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest
from nexus.lock.lease import asked
from nexus.lock.liveness import dead
from nexus.run.run import Run, current_run
from nexus.run.since import moment

DIED = "died before it ended"


def history(host: str = "", since: str = "", item: str = "") -> None:
    """Show the record instead of running: for a host, since a time, for items with a word in their name or role."""
    current_run().report = partial(show, host=host, since=since, item=item)


def show(run: Run, host: str = "", since: str = "", item: str = "") -> int:
    """Print runs and their changes; exit status 1 if the record was tampered with."""
    env = run.environment
    runs, broken = runs_since(run, moment(since, time.time()))
    check_host(host, [known.name for known in env.hosts], runs)
    runs = [found for found in runs if _concerns(found, host, item)]
    shown = runs if since else runs[-int(env.setting.history_runs) :]
    for found in shown:
        click.echo(tell(found, host, item))
    for place in broken:
        click.secho(f"{place}: this line, or the one before it, is not as it was written", fg="red")
    known = f"{len(shown)} of {len(runs)} runs" if len(shown) < len(runs) else f"{len(runs)} runs"
    click.echo(f"{env.name}: {known}{f' since {since}' if since else ''}")
    return 1 if broken else 0


def runs_since(run: Run, since: float) -> tuple[list[Line], list[str]]:
    """(runs with any line since then, places where the chain is broken); the lock shows the state of open runs."""
    env = run.environment
    lines, broken = lines_since(env, since)
    if all(map(settled, join(lines))):
        return join(lines), broken
    lock = _lock(run)
    lines, broken = lines_since(env, since)  # again: a run may have ended before the lock was read
    return [{**found, "now": now(found, lock)} for found in join(lines)], broken


def lines_since(env: Environment, since: float) -> tuple[list[Line], list[str]]:
    """(lines of runs with any line since then, places where the chain is broken)."""
    # the first line of a run describes it, and may be older than `since`
    lines, broken, silent = read(env, since - 86400)
    if silent:
        click.secho(f"lines on {', '.join(silent)} may be missing: no answer", fg="yellow", err=True)
    recent = {line["run"] for line in lines if line["time"] >= since}
    return [line for line in lines if line["run"] in recent], broken


def join(lines: list[Line]) -> list[Line]:
    """One entry for each run: its first line, with its end under "end" and "died"."""
    runs: dict[str, Line] = {}
    for line in lines:
        if line["event"] == "begin":
            runs[line["run"]] = {**line, "end": None, "died": False}
        elif line["run"] in runs:
            runs[line["run"]].update({"end": line} if line["event"] == "end" else {"died": True})
    return list(runs.values())


def settled(found: Line) -> bool:
    """Whether the record itself says how a run ended."""
    return bool(found["end"] or found["died"])


def now(found: Line, lock: Mapping[str, Any] | None) -> str:
    """The state of a run without an end in the record, from the lock as it was before the record was read."""
    if not lock or found["number"] > lock["number"]:
        return "under way, or dead with no run since"
    holds = lock["holder"] and found["number"] == lock["number"] and not dead(lock["holder"])
    return "under way" if holds else DIED


def _lock(run: Run) -> dict[str, Any] | None:
    """The current lock, or None if it cannot be read."""
    try:
        return asked(run.environment, run.all_roles, "look")
    except OperatorError as error:
        click.secho(f"cannot tell from the lock which runs are under way: {error}", fg="yellow", err=True)
        return None


def changes(found: Line, host: str = "", item: str = "") -> dict[str, list[str]]:
    """{host: changes of this run in words}, only for a host and for items with a word in them, if given."""
    end = found["end"]
    told: dict[str, list[str]] = {}
    for name, entries in (end["changes"] if end else found["intended"]).items():
        told[name] = [
            f"{f'{role}: ' if role else ''}{what}: {how}{'' if all(done) else ' (not finished)'}"
            for role, what, how, *done in entries
        ]
    for name, commands in (end or {}).get("commands", {}).items():
        told.setdefault(name, []).extend(f"command: {command}" for command in commands)
    chosen = {name: [text for text in texts if item.lower() in text.lower()] for name, texts in told.items()}
    return {name: texts for name, texts in chosen.items() if texts and host in ("", name)}


def check_host(host: str, inventory: list[str], runs: list[Line]) -> None:
    """Refuse a host that neither the inventory nor the record knows: OperatorError with the nearest one."""
    known = [*inventory, *(name for found in runs for name in changes(found))]
    if host and host not in known:
        raise OperatorError(f'host "{host}" is neither in the inventory nor in the record{nearest(host, known)}')


def _concerns(found: Line, host: str, item: str) -> bool:
    return not (host or item) or bool(changes(found, host, item))


def tell(found: Line, host: str = "", item: str = "") -> str:
    """One run in words."""
    end, told = found["end"], changes(found, host, item)
    commit = f", commit {found['commit'][:10]}{' with changes' if found['dirty'] else ''}" if found["commit"] else ""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found["time"]))
    who = f"{found['who']} as {found['login']}" if found.get("login") else found["who"]
    lines = [f"{when}  {who}: {found['purpose']}", f"  run {found['number']}{commit}, {_outcome(found)}"]
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
    return DIED if found["died"] else str(found["now"])


def _services(found: Line) -> str:
    after: Mapping[str, str] = (found["end"] or {}).get("services", {})
    texts = [f"{name} {found['services'].get(name) or 'new'} -> {now or 'gone'}" for name, now in after.items()]
    return ", ".join(sorted(texts))

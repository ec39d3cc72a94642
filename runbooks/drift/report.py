"""The drift report: on the terminal, as JSON, and as a page."""

import json
import time
from pathlib import Path
from typing import Any

import click

from nexus import project
from nexus.run.plan_document import plan_hash
from nexus.run.run import Run
from nexus.workstation import checkout, write_whole
from runbooks.drift.compare import hosts, touched
from runbooks.drift.page import page

SAME, DRIFT = 0, 1


def write(run: Run) -> int:
    """Compare, print, write both files; exit status 1 if anything differs or could not be compared."""
    path = project.root() / str(run.environment.setting.drift_directory) / f"drift-{run.environment.name}.json"
    found = report(run, _before(path))
    write_whole(path, json.dumps(found, indent=1) + "\n")
    write_whole(path.with_suffix(".html"), page(found))
    click.echo(text(found) + f"\n{path.with_suffix('.html')}")
    return DRIFT if found["drift"] or found["unhealthy"] or found["unknown"] else SAME


def report(run: Run, before: dict[str, Any]) -> dict[str, Any]:
    """The report as data. `before` is the previous report, which knows when a difference was first seen."""
    now, compared = time.time(), hosts(run)
    runs = touched(run) if any(about["lines"] for about in compared.values()) else {}
    seen = {(line["host"], line["item"], line["before"]): line["first_seen"] for line in before.get("drift", [])}
    drift: list[dict[str, Any]] = []
    unhealthy: list[dict[str, Any]] = []
    for about in compared.values():
        for line in about.pop("lines"):
            observed = line.pop("observed", False)
            line["first_seen"] = seen.get((line["host"], line["item"], line["before"]), now)
            line["last_run"] = runs.get((line["host"], line["item"]))
            (unhealthy if observed else drift).append(line)
    run.planned = {name: set(run.hosts.roles(name)) for name in compared if run.hosts.reaches(name)}
    return {
        "environment": run.environment.name,
        "checked": now,
        **checkout(),
        "plan": "" if any(about["why"] for about in compared.values()) else plan_hash(run),
        "hosts": compared,
        "drift": drift,
        "unhealthy": unhealthy,
        "unknown": {name: about["why"] for name, about in compared.items() if about["why"]},
    }


def _before(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def text(found: dict[str, Any]) -> str:
    """For a terminal: a line for each item, and below it the known facts."""
    lines = []
    for line in found["drift"]:
        lines.append(f"{line['host']}: {line['role']}: {line['item']}: {line['how']}")
        lines.append(f"    is {line['before'] or 'missing'}, should be {line['after'] or 'gone'}")
        lines.append(f"    {', '.join(_known(line))}")
        lines += [f"        {differing}" for differing in line.get("lines", [])]
    lines += [f"{line['host']}: {line['item']} is not healthy" for line in found["unhealthy"]]
    lines += [f"{name}: {why}" for name, why in found["unknown"].items()]
    items = sum(about["compared"] for about in found["hosts"].values())
    verdict = f"{len(found['drift'])} differ" if found["drift"] else "as planned"
    if found["unknown"]:
        verdict += f", not compared: {', '.join(found['unknown'])}"
    return "\n".join([*lines, f"{found['environment']}: {len(found['hosts'])} hosts, {items} items, {verdict}"])


def _known(line: dict[str, Any]) -> list[str]:
    known = [f"since {moment(line['since'])}"] if line.get("since") else []
    known.append(f"first seen {moment(line['first_seen'])}")
    last = line["last_run"]
    known.append(f"last touched {moment(last['time'])} by {last['who']}" if last else "by no run on record")
    return known


def moment(seconds: float) -> str:
    """A time for people, in the time zone of this machine."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))

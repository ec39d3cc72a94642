"""One observation of an environment's hosts, as data that is stored: what the pages say was found, when, by which run.

It consists of answers that other runbooks get too: drift, status and the audit record; only versions are its own.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nexus import console, project
from nexus.audit.history import join
from nexus.audit.storage import read as read_record
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.side_by_side import reached, side_by_side
from nexus.workstation import write_whole
from roles.swarm.plan import leader
from runbooks.drift.report import report as drift_report
from runbooks.handoff.facts import facts
from runbooks.handoff.host.versions import KERNEL, SYSTEM
from runbooks.status import rows as status_rows

FORMAT = 1
SOURCE = Path(__file__).parent / "host/versions.py"
RUNS = 20  # of the audit record
Observation = Mapping[str, Any]


def path_of(env: Environment) -> Path:
    """The file of an environment's observation."""
    return project.root() / str(env.setting.handoff_directory) / f"observation-{env.name}.json"


def take(run: Run) -> dict[str, Any]:
    """Ask all hosts.

    {"format", "environment", "at", "run", "commit", "plan": hash, "kept", "planned": facts of the plan,
    "hosts": {name: {"system", "kernel", "versions", "unknown": reason}}, "services": {name: {"image", "replicas",
    "tasks"}}, "drift": differences, "status": rows, "runs": last runs that changed something}.
    """
    env, kept = run.environment, run.hosts.kept()
    if not console.log_name():  # a run that only looks has no log, and the pages name this one's
        console.open_log(env.name)
    found = drift_report(run, {})
    versions = side_by_side(lambda name: _versions(run, name), reached(run))
    unknown = {"system": "", "kernel": "", "versions": {}}
    return {
        "format": FORMAT,
        "environment": env.name,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "run": console.log_name(),
        "commit": found["commit"],
        "plan": found["plan"],
        "kept": dict(kept),
        "planned": facts(env.with_facts([], {}, kept)),
        "hosts": {
            host.name: {**versions.get(host.name, unknown), "unknown": found["unknown"].get(host.name, "")}
            for host in env.hosts
        },
        "services": _services(run),
        "drift": [_difference(line) for line in (*found["drift"], *found["unhealthy"])],
        "status": [{**asdict(row), "missed": row.missed} for row in status_rows(run)],
        "runs": _runs(env),
    }


def _versions(run: Run, name: str) -> dict[str, Any]:
    planned = {package for role in run.hosts.roles(name) for package in run.hosts.plan(name, role).packages}
    told = run.hosts.ask_source(name, SOURCE, ["versions"], {"packages": sorted(planned)})
    system, kernel = told.pop(SYSTEM), told.pop(KERNEL)
    return {"system": system, "kernel": kernel, "versions": dict(sorted(told.items()))}


def _services(run: Run) -> dict[str, dict[str, Any]]:
    """The services of the catalogue as the swarm has them."""
    env = run.environment
    if not env.group("app") or not run.hosts.reaches(leader(env).name):
        return {}
    items = run.hosts.answer(leader(env).name)["states"].get("service", {}).get("items", {})
    found = {name: items[f"service {name}"] for name in env.services if f"service {name}" in items}
    return {name: {key: about.get(key) for key in ("image", "replicas", "tasks")} for name, about in found.items()}


def _difference(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the drift report without the lines of files, which pages have no room for."""
    return {key: line[key] for key in ("host", "role", "item", "how", "before", "after")}


def _runs(env: Environment) -> list[dict[str, Any]]:
    """The last runs on record, the newest first."""
    lines, _, _ = read_record(env, 0.0)
    return [
        {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run["time"])),
            "who": run["who"],
            "purpose": run["purpose"],
            "changes": sum(len(made) for made in (run["end"] or {}).get("changes", {}).values()),
            "ended": bool(run["end"]),
        }
        for run in reversed(join(lines)[-RUNS:])
    ]


def store(env: Environment, observation: Observation) -> Path:
    """Write an observation; returns its file."""
    path = path_of(env)
    write_whole(path, json.dumps(observation, indent=1, sort_keys=True) + "\n")
    return path


def load(path: Path, env: Environment) -> dict[str, Any]:
    """A stored observation of this environment; OperatorError if the file is not one."""
    remedy = f"Take one: NEXUS_ENV={env.name} make handoff; or use the plan alone: observation=none"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        known, environment = found["format"], found["environment"]
    except OSError as error:
        raise OperatorError(f"{path}: the observation cannot be read: {error.strerror}. {remedy}") from None
    except (ValueError, KeyError, TypeError):
        raise OperatorError(f"{path}: this is not an observation. {remedy}") from None
    if known != FORMAT:
        raise OperatorError(f"{path}: another version of this project wrote this observation. {remedy}")
    if environment != env.name:
        raise OperatorError(f"{path}: this is an observation of {environment}, and not of {env.name}. {remedy}")
    return found

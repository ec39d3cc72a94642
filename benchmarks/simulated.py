"""Simulated hosts: a connector that answers from the plan, as hosts that are already as planned would.

It shows what a run costs this machine for many hosts, without SSH, its ciphers and the hosts' own work. Its figures
are marked as simulated wherever they are shown. It only answers probes: a run that would change anything fails.

The first run computes the answers and stores them below WORK; the measured runs after it read them. The secrets of the
environment are made first, because the plan names their file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from benchmarks import WORK
from nexus.environment.environment import Traits
from nexus.plan import diff, manifest
from nexus.plan.desired import Desired, File, State
from roles.frontend.front_end import FrontEnd

VARIABLE = "NEXUS_BENCH_SIMULATED"  # seconds that a simulated host takes to answer
KEPT = WORK / "simulated"
TRAITS: dict[str, Any] = {
    "cpus": 2,
    "memory_bytes": 512 << 30,  # hundreds of services must fit
    "mtu": 1500,
    "gpus": 0,
    "architecture": "x86_64",
    "docker": {"memory": False, "cpu": False},
}


def install() -> None:
    """Replace pyinfra's SSH connector in this process, if NEXUS_BENCH_SIMULATED is set."""
    if VARIABLE not in os.environ:
        return
    import gevent
    from pyinfra.connectors.ssh import SSHConnector
    from pyinfra.connectors.util import CommandOutput, OutputLine

    seconds = float(os.environ[VARIABLE])

    def run_shell_command(connector: Any, command: Any, **rest: Any) -> tuple[bool, Any]:
        gevent.sleep(seconds)
        lines = list(rest.get("_stdin") or ())  # the second line exists once the request is planned
        if not lines:
            raise RuntimeError(f"{connector.host.name} is simulated and cannot carry out {command}")
        return True, CommandOutput([OutputLine("stdout", _kept(connector.host.name, lines[1]))])

    SSHConnector.connect = lambda connector: gevent.sleep(seconds)
    SSHConnector.run_shell_command = run_shell_command


def forget() -> None:
    """Drop all answers, since the plan has changed."""
    shutil.rmtree(KEPT, ignore_errors=True)


def _kept(name: str, sealed: str) -> str:
    """The answer of a host to a request, as text on the wire."""
    file = KEPT / f"{name}-{hashlib.sha256(sealed.encode()).hexdigest()[:16]}.json"
    if not file.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_answer(name, json.loads(zlib.decompress(base64.b64decode(sealed))))))
    return file.read_text()


def _answer(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    if request["do"] == "traits":
        return TRAITS
    if request["do"] == "ask":  # a run that finds nothing to change only asks for the health of services
        (health,) = _plans(name)["health"].states
        return {"items": _items(name, health)}
    if request["do"] != "probe":
        raise RuntimeError(f"{name} is simulated and cannot {request['do']}")
    return answer(name, _plans(name), request)


def _plans(name: str) -> dict[str, Desired]:
    """All plans of a host, with traits and digests known."""
    from nexus.run.run import current_run
    from roles.table import ROLES

    run, traits = current_run(), Traits(**TRAITS)
    digests = {service: _digest(f"image {service}") for service in (*run.environment.catalogue.services, "router")}
    env = run.environment.with_facts([replace(host, traits=traits) for host in run.environment.hosts], digests)
    plans = {role: diff.complete(ROLES.plan(role)(env, env.host(name))) for role in run.hosts.roles(name)}
    # Secrets that plans made are saved: otherwise this run has a change, and the next one makes other secrets.
    run.environment.secrets.save()
    return plans


def answer(host: str, plans: Mapping[str, Desired], request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a probe of a host that is as all these plans want it."""
    files = {entry.path: entry for plan in plans.values() for entry in (*plan.early, *plan.files)}
    asked = {kind: wanted["names"] for kind, wanted in request["kinds"].items()}
    paths: dict[str, Any] = dict.fromkeys(asked["paths"])
    for plan in plans.values():
        paths |= {d.path: ["directory", d.mode, d.owner, d.group, None] for d in plan.directories}
        paths |= {link.path: ["link", 0o777, "root", "root", link.target] for link in plan.links}
    paths |= {p: ["file", f.mode, f.owner, f.group, f.sha256] for p, f in files.items()}
    states = {state.name: state for plan in plans.values() for state in plan.states}
    found = {
        "paths": {path: paths[path] for path in asked["paths"]},
        "packages": dict.fromkeys(asked["packages"], "installed"),
        "units": _units(plans.values(), files),
        "users": _users(plans.values()),
        "groups": dict.fromkeys(asked.get("groups", ()), True),
        "front_ends": _front_ends(plans.values()),
        "traits": TRAITS,
        "fence": {"run": 0, "steps": 0},
        "states": {name: {"items": _items(host, states[name])} for name in request["states"]},
        "checks": dict.fromkeys(request["checks"]),
        "obstacles": {"paths": {}, "room": {}, "left": []},
    }
    return {**found, "manifest": {role: manifest.records(plan, found) for role, plan in plans.items()}}


def _front_ends(plans: Iterable[Desired]) -> dict[str, Any]:
    """Each front end with the files of its release."""
    items = [item for plan in plans for item in plan.items if isinstance(item, FrontEnd)]
    return {item.path: {"whole": [item.build.release], "assets": []} for item in items if item.build}


def _users(plans: Iterable[Desired]) -> dict[str, list[str]]:
    """The groups of each account; several roles may add some."""
    found: dict[str, list[str]] = {}
    for user in (user for plan in plans for user in plan.users):
        found.setdefault(user.name, []).extend(user.groups)
    return found


def _units(plans: Iterable[Desired], files: Mapping[str, File]) -> dict[str, Any]:
    found = {}
    for unit in (unit for plan in plans for unit in plan.units):
        found[unit.name] = {
            "UnitFileState": "masked" if unit.masked else "enabled" if unit.enabled else "disabled",
            "ActiveState": "active" if unit.running else "inactive",
            "NeedDaemonReload": "no",
            "stamp": {path: files[path].sha256 for path in unit.reads if path in files},
        }
    return found


def _items(host: str, state: State) -> dict[str, Any]:
    return {item: _properties(host, state.name, item, values) for item, values in state.items.items()}


def _properties(host: str, state: str, item: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """An item as planned, with the further fields that roles read."""
    extra = {"image": {"digest": _digest(item)}, "health": {"why": ""}}
    return {**values, **extra.get(state, {"id": f"member {host}" if item == "node" else item})}


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

"""What an environment must remember whichever checkout runs next: releases, replicas, maintenance.

It lies in the swarm's own store, which survives the controller and any minority of managers: one config
object for each thing, empty but for its labels, which Docker lets us change in place and only if nobody did
so meanwhile. Runs on a manager with the standard library alone.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError
from roles.swarm.engine import PROBE_SECONDS, found_info

LABEL = "nexus.kept"
VALUE = "nexus.value"
ATTEMPTS = 5


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"KIND NAME": value} of all that is kept; nothing where this host never was a manager of a swarm."""
    info = found_info(context["directory"])  # asked by the other states of this probe, too
    if not info and os.path.isdir(f"{context['directory']}/raft"):
        raise RemoteError("what is kept in the swarm cannot be read: Docker does not answer; `systemctl status docker`")
    if not info.get("ControlAvailable"):
        return {}
    found = Docker(timeout=PROBE_SECONDS).list("configs", label=[LABEL])  # an error while its swarm has no leader
    return {item["Spec"]["Labels"][LABEL]: json.loads(item["Spec"]["Labels"][VALUE]) for item in found}


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Keep every value of context["keep"], {"KIND NAME": value}; None forgets it."""
    docker = Docker()
    for name, value in context["keep"].items():
        keep(docker, name, value)


def keep(docker: Docker, name: str, value: dict[str, Any] | None) -> None:
    """Keep one value under "KIND NAME", or forget it."""
    for _ in range(ATTEMPTS):
        found = docker.list("configs", label=[f"{LABEL}={name}"])
        if value is None:
            for item in found:
                docker.ask("DELETE", f"/configs/{item['ID']}")
            return
        labels = {LABEL: name, VALUE: json.dumps(value, sort_keys=True)}
        if found:
            spec = {**found[0]["Spec"], "Labels": labels}
            path = f"/configs/{found[0]['ID']}/update?version={found[0]['Version']['Index']}"
            status, answer = docker.ask("POST", path, spec)
        else:
            data = base64.b64encode(b"its value is its label nexus.value\n").decode()
            body = {"Name": f"nexus-{name.replace(' ', '-')}"[:64], "Labels": labels, "Data": data}
            status, answer = docker.ask("POST", "/configs/create", body)
        if status < 400:
            return
    raise RemoteError(f"cannot keep {name} in the swarm: {(answer or {}).get('message', status)}")

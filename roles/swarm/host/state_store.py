"""What an environment must remember whichever checkout runs next: replicas, drained hosts, closed modules, releases.

It lies in the swarm's own store, which survives the controller and any minority of managers: in the labels of one
config object, "KIND NAME" with the value as JSON. Docker lets us change labels in place, all of them at once, and only
if nobody did so meanwhile. `docker config inspect --pretty nexus-environment` shows it; docs/configuration.md lists the
kinds. Runs on a manager with the standard library alone.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker
from roles.swarm.host.engine import PROBE_SECONDS, found_info

NAME = "nexus-environment"
# Earlier versions made an object for each thing, with these labels. They find the first on ours without the second and
# fail, so that none of them takes an environment for one that remembers nothing.
FORMER, FORMER_VALUE = "nexus.kept", "nexus.value"
ATTEMPTS = 5
# A manager that cannot open what it holds, which is not the same as one that holds nothing.
CLOSED = {
    "locked": "the swarm on this host is locked: `docker swarm unlock` here, with the key that "
    "`docker swarm unlock-key` shows on another manager",
    "error": "the swarm on this host has failed: `docker info` there says why",
    "pending": "the swarm on this host does not find its other managers: `journalctl -u docker` there",
}


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"KIND NAME": value} of all that is kept, and NAME where the config is there.

    Nothing where this host never was a manager of a swarm.
    """
    info = found_info()  # asked by the other states of this probe, too
    if not info and os.path.isdir(f"{context['directory']}/raft"):
        raise RemoteError("what is kept in the swarm cannot be read: Docker does not answer; `systemctl status docker`")
    if info.get("LocalNodeState") in CLOSED and os.path.isdir(f"{context['directory']}/raft"):
        raise RemoteError(f"what is kept in the swarm cannot be read: {CLOSED[info['LocalNodeState']]}")
    if not info.get("ControlAvailable"):
        return {}
    docker = Docker(timeout=PROBE_SECONDS)
    place, texts = stored(docker)  # an error while its swarm has no leader
    return {name: json.loads(text) for name, text in texts.items()} | ({NAME: {}} if place else {})


def apply(change: Change) -> None:
    """Make the config, with what an earlier version kept."""
    keep({"keep": {}})


def stored(docker: Docker) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The config and what it holds, {"KIND NAME": JSON}; before there is one, what an earlier version kept."""
    for place in docker.list("configs", name=[NAME]):
        if place["Spec"]["Name"] == NAME:  # the filter finds longer names, too
            return place, {name: text for name, text in place["Spec"]["Labels"].items() if name != FORMER}
    labels = [one["Spec"]["Labels"] for one in docker.list("configs", label=[FORMER])]
    return None, {found[FORMER]: found[FORMER_VALUE] for found in labels}


def keep(context: Mapping[str, Any]) -> None:
    """Keep every value of context["keep"], {"KIND NAME": value}, all or none; None forgets it.

    What an earlier version kept is taken over.
    """
    docker, values = Docker(), context["keep"]
    changes = {name: None if value is None else json.dumps(value, sort_keys=True) for name, value in values.items()}
    for _ in range(ATTEMPTS):
        place, texts = stored(docker)
        labels = {name: text for name, text in (texts | changes).items() if text is not None}
        labels[FORMER] = f"now in {NAME}"
        if place:
            path = f"/configs/{place['ID']}/update?version={place['Version']['Index']}"
            status, answer = docker.ask("POST", path, {**place["Spec"], "Labels": labels})
        else:
            data = base64.b64encode(b"what the environment keeps is in the labels\n").decode()
            status, answer = docker.ask("POST", "/configs/create", {"Name": NAME, "Labels": labels, "Data": data})
        if status < 400:
            break
    else:
        raise RemoteError(f"cannot keep {', '.join(values)} in the swarm: {(answer or {}).get('message', status)}")
    for one in docker.list("configs", label=[FORMER]):
        if one["Spec"]["Name"] != NAME:
            docker.ask("DELETE", f"/configs/{one['ID']}")

"""What an environment keeps for runs of any checkout: replicas, drained hosts, closed modules, releases.

The swarm's own store holds it, which survives the loss of the controller and of any minority of managers: in the labels
of one config object, "KIND NAME" with the value as JSON. Docker changes all labels in place at once, and only if nobody
else changed them meanwhile. `docker config inspect --pretty nexus-environment` shows it; docs/configuration.md lists
the kinds. Runs on a manager with the standard library alone.
"""

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
# Earlier versions made one object for each value, with these labels. On our object they find the first label without
# the second and fail, so that none of them mistakes the environment for one that keeps nothing.
FORMER, FORMER_VALUE = "nexus.kept", "nexus.value"
ATTEMPTS = 5
# A manager that cannot read its store, which is not the same as a manager with an empty store.
CLOSED = {
    "locked": "the swarm on this host is locked: run `docker swarm unlock` here, with the key that "
    "`docker swarm unlock-key` shows on another manager",
    "error": "the swarm on this host has failed: `docker info` there shows the reason",
    "pending": "the swarm on this host cannot reach its other managers: see `journalctl -u docker` there",
}


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"KIND NAME": value} of all kept values, and NAME where the config exists.

    Empty where this host never was a manager of a swarm.
    """
    info = found_info()  # other states of this probe ask for it too
    if not info and os.path.isdir(f"{context['directory']}/raft"):
        raise RemoteError("cannot read what the swarm keeps: Docker does not answer; see `systemctl status docker`")
    if info.get("LocalNodeState") in CLOSED and os.path.isdir(f"{context['directory']}/raft"):
        raise RemoteError(f"cannot read what the swarm keeps: {CLOSED[info['LocalNodeState']]}")
    if not info.get("ControlAvailable"):
        return {}
    docker = Docker(timeout=PROBE_SECONDS)
    place, texts = stored(docker)  # an error while its swarm has no leader
    return {name: json.loads(text) for name, text in texts.items()} | ({NAME: {}} if place else {})


def apply(change: Change) -> None:
    """Make the config, with the values that an earlier version kept."""
    keep({"keep": {}})


def stored(docker: Docker) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The config and its values, {"KIND NAME": JSON}; without a config, the values that an earlier version kept."""
    for place in docker.list("configs", name=[NAME]):
        if place["Spec"]["Name"] == NAME:  # the filter matches longer names too
            return place, {name: text for name, text in place["Spec"]["Labels"].items() if name != FORMER}
    labels = [one["Spec"]["Labels"] for one in docker.list("configs", label=[FORMER])]
    return None, {found[FORMER]: found[FORMER_VALUE] for found in labels}


def keep(context: Mapping[str, Any]) -> None:
    """Store all values of context["keep"], {"KIND NAME": value}, or none of them; the value None removes one.

    Values that an earlier version kept move into the config.
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

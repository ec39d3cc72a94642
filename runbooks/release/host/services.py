"""On a manager of the swarm: brings services to a release, and reports how they run.

Standard library only. Services go in parallel. Each one that does not get healthy is reported with its last log lines,
and its old release keeps running.
"""

import os
import time
from typing import Any

from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker
from roles.service.host.rollout import NEVER_STARTED, STACK, Rollout, current, deploy, roll_back, stack_services
from roles.service.host.state import DIRECTORY, KINDS, LABEL, create, files, remove_service

SETTLE_SECONDS = 90  # for a rollback that Swarm itself has begun


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each service as it runs, and the names of all configs and secrets."""
    docker = Docker(timeout=20)
    services = stack_services(docker)
    wanted = [f"{STACK}_{name}" for name in names]
    tasks = docker.list("tasks", service=wanted) if wanted else []
    found = {name: _look(services[name], tasks) for name in names if name in services}
    stored = [one["Spec"]["Name"] for kind in KINDS for one in docker.list(f"{kind}s", label=[LABEL])]
    return {**found, "": {"stored": stored}}


def _look(service: dict[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    own = current(service, tasks)
    failed = [task for task in own if task["Status"]["State"] in ("failed", "rejected")]
    running = [task for task in own if task["Status"]["State"] == "running" and task["DesiredState"] == "running"]
    return {
        **_spec(service["Spec"]),
        "previous": _spec(service["PreviousSpec"]) if service.get("PreviousSpec") else None,
        "hash": service["Spec"]["Labels"].get("nexus.hash"),
        "update": (service.get("UpdateStatus") or {}).get("State", ""),
        "running": len(running),
        "failed": [
            [task["ID"], task["Status"].get("Err", "")]
            for task in failed
            if not task["Status"].get("Err", "").startswith(NEVER_STARTED)
        ],
    }


def _spec(spec: dict[str, Any]) -> dict[str, str]:
    container = spec["TaskTemplate"]["ContainerSpec"]
    config = files(container).get(f"{DIRECTORY}/config", "")
    return {"image": container["Image"], "config": config.partition(" ")[2]}


def apply(context: dict[str, Any]) -> None:
    """Remove the services of context["remove"]; deploy those of context["definitions"], batch by batch.

    context["files"] are written first, {path: text}.
    """
    docker = Docker()
    for path, text in context.get("files", {}).items():
        write(path, text)
    for name in context.get("remove", ()):
        remove_service(docker, name)
    for item, content in context["contents"].items():
        create(docker, item, content)
    definitions = context["definitions"]
    settle(docker, list(definitions))
    rollout = Rollout(docker, context["items"], 0)
    for batch in context.get("batches") or [list(definitions)]:
        deploy({name: definitions[name] for name in batch})
    wrong = []
    for name, content in definitions.items():
        rollout.phase_seconds = context["seconds"][name]
        try:
            rollout.wait(name, [name], {name: content})
        except RemoteError as error:
            wrong.append(str(error).split("\n", 1)[-1])
    if wrong:
        raise RemoteError("\n".join(wrong))


def write(path: str, text: str) -> None:
    """Write a file atomically, readable by root only."""
    with open(os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    os.replace(f"{path}.new", path)


def settle(docker: Docker, names: list[str]) -> None:
    """End updates that are in progress: another one on top would also end the tasks from before them."""
    for name in names:
        roll_back(docker, stack_services(docker).get(name))
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        states = [
            (service.get("UpdateStatus") or {}).get("State")
            for name, service in stack_services(docker).items()
            if name in names
        ]
        if not {"updating", "rollback_started"} & set(states):
            return
        time.sleep(0.5)

"""On a manager of the swarm: the migration of one service, as a task that runs once. Standard library only."""

import time
from typing import Any

from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker
from roles.service.host.rollout import STACK, deploy, log, stack_services
from roles.service.host.state import create, remove_service

ENDED = ("complete", "failed", "rejected", "shutdown", "orphaned")


def migrate(context: dict[str, Any]) -> None:
    """Run context["definition"] as the service context["name"]; RemoteError with its last lines if it fails."""
    docker, name = Docker(), context["name"]
    for item, content in context["contents"].items():
        create(docker, item, content)
    remove_service(docker, name)  # left by a run that died
    deploy({name: context["definition"]})
    try:
        task = ended(docker, name, context["seconds"])
        lines = [f"  | {line}" for line in log(task["ID"])]
        state = task["Status"]["State"]
        if state != "complete":
            reason = task["Status"].get("Err") or task["Status"].get("Message", "")
            raise RemoteError("\n".join([f"{name}: {state}: {reason}", *lines]))
        print("\n".join([f"{name}: done", *lines]))
    finally:
        remove_service(docker, name)


def ended(docker: Docker, name: str, seconds: float) -> dict[str, Any]:
    """The task once it has ended."""
    end = time.monotonic() + seconds
    while name not in stack_services(docker):
        time.sleep(0.2)
    while True:
        tasks = docker.list("tasks", service=[f"{STACK}_{name}"])
        if tasks and tasks[0]["Status"]["State"] in ENDED:
            return tasks[0]
        if time.monotonic() > end:
            raise RemoteError(f"{name} did not end within {seconds} s (release_migration_seconds)")
        time.sleep(0.5)

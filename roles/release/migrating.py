"""On a manager of the swarm: the migration of one service, as a task that runs once. Standard library alone."""

from __future__ import annotations

import time
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError
from roles.service.remote import create_secret, remove_service
from roles.service.rollout import STACK, deploy, log, stack_services

ENDED = ("complete", "failed", "rejected", "shutdown", "orphaned")


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Run context["definition"] as the service context["name"]; RemoteError with its last lines where it fails."""
    docker, name = Docker(), context["name"]
    for secret, content in context["secrets"].items():
        create_secret(docker, secret, content)
    remove_service(docker, name)  # of a run that died
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

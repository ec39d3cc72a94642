"""Runs on a manager of the swarm: replaces the tasks of services, new tasks first; empties a node the same way.

Standard library only.
"""

import time
from collections.abc import Iterable
from typing import Any

from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker
from roles.service.host.rollout import STACK, stack_services

SECONDS = 120  # for one answer of Docker
POLL_SECONDS = 1
SIDE_BY_SIDE = 4  # services at a time: each starts a new task while the old one still runs
ENDED = ("completed", "rollback_completed", "paused", "rollback_paused")


def restart(context: dict[str, Any]) -> None:
    """Restart the services of context["groups"], one group after the other."""
    docker = Docker(timeout=SECONDS)
    for group in context["groups"]:
        replace(docker, group, context["seconds"])


def empty(context: dict[str, Any]) -> None:
    """Start a node's tasks elsewhere. The node takes no new tasks meanwhile; the plan drains it later."""
    docker, address = Docker(timeout=SECONDS), context["address"]
    node = next((n for n in docker.list("nodes") if address_of(n) == address), None)
    if node is None:
        raise RemoteError(f"no node of the swarm has the address {address}: deploys/container.py lets the host join")
    if node["Spec"]["Availability"] == "active":
        path = f"/nodes/{node['ID']}/update?version={node['Version']['Index']}"
        docker.do("close the node for new tasks", "POST", path, {**node["Spec"], "Availability": "pause"})
    services = {service["ID"]: name for name, service in stack_services(docker).items()}
    replicated = {name for name, service in stack_services(docker).items() if "Replicated" in service["Spec"]["Mode"]}
    tasks = docker.list("tasks", node=[node["ID"]], **{"desired-state": ["running"]})
    names = sorted({services[task["ServiceID"]] for task in tasks if task["ServiceID"] in services} & replicated)
    replace(docker, names, context["seconds"])
    print(f"{len(names)} services now run elsewhere")


def address_of(node: dict[str, Any]) -> str:
    """The address of a node."""
    manager = node.get("ManagerStatus") or {}
    return str(manager.get("Addr", node["Status"].get("Addr", ""))).rsplit(":", 1)[0]


def replace(docker: Docker, names: Iterable[str], seconds: float) -> None:
    """Replace the tasks of these services, a few at a time; RemoteError names a service that did not come up."""
    waiting, running = list(names), dict[str, float]()
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            name = waiting.pop(0)
            force(docker, name)
            running[name] = time.monotonic() + seconds
        time.sleep(POLL_SECONDS)
        for name, deadline in list(running.items()):
            service = stack_services(docker)[name]
            state = (service.get("UpdateStatus") or {}).get("State", "")
            if state == "completed":
                print(f"{name}: tasks replaced")
                del running[name]
            elif state in ENDED or time.monotonic() > deadline:
                message = (service.get("UpdateStatus") or {}).get("Message", "no reason given")
                left = ", ".join([*waiting, *(other for other in running if other != name)])
                raise RemoteError(f"{name} did not come up again: {message}. Not done: {left or 'none'}")


def force(docker: Docker, name: str) -> None:
    """Have the swarm replace a service's tasks although nothing in it changed."""
    service = stack_services(docker).get(name)
    if service is None:
        raise RemoteError(f"{STACK}_{name} is not in the swarm: deploys/full.py deploys it")
    spec = service["Spec"]
    template = {**spec["TaskTemplate"], "ForceUpdate": spec["TaskTemplate"].get("ForceUpdate", 0) + 1}
    path = f"/services/{service['ID']}/update?version={service['Version']['Index']}&registryAuthFrom=spec"
    docker.do(f"replace the tasks of {name}", "POST", path, {**spec, "TaskTemplate": template})

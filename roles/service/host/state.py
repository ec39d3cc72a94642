"""The stack's services, configs and secrets in the swarm, by Docker's API and `docker stack deploy`.

Runs on a manager with the standard library alone. Services are deployed phase by phase; a phase
begins when the services that it depends on are healthy.
"""

import base64
import datetime
import json
import os
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.docker.host.client import Docker
from roles.service.host.rollout import STACK, Rollout, deploy, stack_services

LABEL = f"com.docker.stack.namespace={STACK}"
KINDS = ("config", "secret")
DIRECTORY = "/run/secrets"  # directory of a mounted file without an absolute path


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Our services, configs and secrets; empty where this host is not a manager of a swarm."""
    docker = Docker(timeout=20)
    try:
        services = stack_services(docker, status=True)
        stored = [(kind, one) for kind in KINDS for one in docker.list(f"{kind}s", label=[LABEL])]
    except (OSError, RemoteError):
        return {}
    found = {
        f"service {name}": {**_properties(service["Spec"]), **_standing(service), "since": service.get("UpdatedAt")}
        for name, service in services.items()
    }
    texts = {f"config {one['Spec']['Name']}": one["Spec"].get("Data", "") for kind, one in stored if kind == "config"}
    for name, service in services.items():  # add the text of a configuration that is not the planned one
        item = files(service["Spec"]["TaskTemplate"]["ContainerSpec"]).get(f"{DIRECTORY}/config")
        if item in texts and item not in names:
            found[f"service {name}"]["configuration"] = base64.b64decode(texts[item]).decode(errors="replace")
    held = {name for service in services.values() for name in _held(service)} | set(context["recorded"])
    for kind, one in stored:
        item = f"{kind} {one['Spec']['Name']}"
        if item in names or _left_over(one, held, context["keep_days"]):
            found[item] = {}
    return found


def apply(change: Change) -> None:
    """Create missing configs and secrets, deploy changed services phase by phase, remove what is no longer planned."""
    docker = Docker()
    rollout = Rollout(docker, change.items, change.context["phase_seconds"])
    for item in filter(change.payload["contents"].get, change.changed):
        create(docker, item, change.payload["contents"][item])
    definitions = change.payload["definitions"]
    services = _services(change.changed)
    for phase in sorted({_phase(definitions[name]) for name in services}):
        of_phase = {name: definitions[name] for name in services if _phase(definitions[name]) == phase}
        needed = {need for name in of_phase for need in change.context["depends_on"].get(name, ())}
        earlier = [name for name in needed if name not in services and _phase(definitions[name]) < phase]
        rollout.wait(f"services that phase {phase} depends on", earlier)
        deploy(of_phase)
        seconds = rollout.wait(f"phase {phase}", list(of_phase), of_phase)
        print(f"phase {phase}: {len(of_phase)} services healthy after {seconds:.0f} s")
    for name in _services(change.removed):
        remove_service(docker, name)
    for item in (item for item in change.removed if not item.startswith("service ")):
        status, answer = docker.raw("DELETE", f"/{item.replace(' ', 's/')}")
        if status >= 400 and status != 404:
            print(f"{item} was not removed: {json.loads(answer)['message']}")


def _services(items: list[str]) -> list[str]:
    return [item.removeprefix("service ") for item in items if item.startswith("service ")]


def _phase(definition: dict[str, Any]) -> int:
    return int(definition["deploy"]["labels"]["nexus.phase"])


def _properties(spec: dict[str, Any]) -> dict[str, Any]:
    """The properties that the plan compares, see `properties` in stack.py."""
    task = spec["TaskTemplate"]
    container = task["ContainerSpec"]
    limits = (task.get("Resources") or {}).get("Limits") or {}
    return {
        "hash": spec["Labels"].get("nexus.hash"),
        "image": container["Image"],
        "replicas": spec["Mode"].get("Replicated", {}).get("Replicas"),
        "files": [f"{path}: {item}" for path, item in sorted(files(container).items())],
        "environment": sorted(container.get("Env") or []),
        "constraints": sorted((task.get("Placement") or {}).get("Constraints") or []),
        "memory_limit_bytes": limits.get("MemoryBytes", 0),
        "command": [*(container.get("Command") or []), *(container.get("Args") or [])],
        **_safety(spec),
    }


def _safety(spec: dict[str, Any]) -> dict[str, Any]:
    """See `_safety` in stack.py."""
    task, ports = spec["TaskTemplate"], (spec.get("EndpointSpec") or {}).get("Ports") or []
    container = task["ContainerSpec"]
    return {
        "published": sorted(port.get("PublishedPort", 0) for port in ports),
        "networks": len(task.get("Networks") or []),
        "mounts": sorted(f"{one.get('Source', '')}:{one['Target']}" for one in container.get("Mounts") or []),
        "user": container.get("User", ""),
        "capabilities": sorted(container.get("CapabilityAdd") or []),
        "healthcheck": (container.get("Healthcheck") or {}).get("Test") or [],
        "restart": (task.get("RestartPolicy") or {}).get("Condition"),
        "after a failed update": (spec.get("UpdateConfig") or {}).get("FailureAction"),
    }


def _standing(service: dict[str, Any]) -> dict[str, Any]:
    """Whether its last update has ended, and whether all its tasks run."""
    update, tasks = service.get("UpdateStatus") or {}, service.get("ServiceStatus") or {}
    found: dict[str, Any] = {"update": "settled", "tasks": "all run"}
    if update.get("State") in ("paused", "rollback_paused"):
        found["update"] = update["State"]
    if tasks.get("RunningTasks", 0) < tasks.get("DesiredTasks", 0):
        found["tasks"] = f"{tasks['RunningTasks']} of {tasks['DesiredTasks']}"
    return found


def _held(service: dict[str, Any]) -> set[str]:
    """Names of configs and secrets that a service mounts, or mounted before its last update."""
    specs = [service["Spec"], service.get("PreviousSpec") or service["Spec"]]
    mounted = [item for spec in specs for item in files(spec["TaskTemplate"]["ContainerSpec"]).values()]
    return {item.partition(" ")[2] for item in mounted}


def files(container: dict[str, Any]) -> dict[str, str]:
    """{path in the container: "config NAME" or "secret NAME"} of the files that a service mounts."""
    found = [(kind, one) for kind in ("Config", "Secret") for one in container.get(f"{kind}s") or []]
    return {
        os.path.join(DIRECTORY, one["File"]["Name"]): f"{kind.lower()} {one[f'{kind}Name']}"
        for kind, one in found
        if one.get("File")
    }


def _left_over(stored: dict[str, Any], held: set[str], keep_days: int) -> bool:
    """Whether no service uses the config or secret, and it is too old for a rollback."""
    oldest = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=keep_days)
    return stored["Spec"]["Name"] not in held and stored["CreatedAt"] < oldest.isoformat()


def create(docker: Docker, item: str, content: str) -> None:
    """Create the config or secret of an item, "config NAME"."""
    kind, name = item.split(" ", 1)
    labels = {"com.docker.stack.namespace": STACK}
    body = {"Name": name, "Labels": labels, "Data": base64.b64encode(content.encode()).decode()}
    status, answer = docker.raw("POST", f"/{kind}s/create", body)
    if status >= 400 and status != 409:  # 409: made by a run that died before it could deploy
        raise RemoteError(f"cannot create the {item}: {json.loads(answer)['message']}")


def remove_service(docker: Docker, name: str) -> None:
    status, answer = docker.raw("DELETE", f"/services/{STACK}_{name}")
    if status >= 400 and status != 404:
        raise RemoteError(f"cannot remove the service {name}: {json.loads(answer)['message']}")
    print(f"removed service {name}")

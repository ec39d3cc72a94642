"""The stack's services and secrets in the swarm, by Docker's API and `docker stack deploy`.

Runs on a manager with the standard library alone. Services are deployed phase by phase; a phase
begins when the services that it stands on are healthy.
"""

from __future__ import annotations

import binascii
import datetime
import json
from typing import Any

from roles.docker.client import Docker
from roles.kit.agent.base import RemoteError
from roles.service.rollout import STACK, Rollout, deploy, stack_services


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Our services and secrets; nothing where this host is no manager of a swarm."""
    docker = Docker(timeout=20)
    try:
        services = stack_services(docker)
        secrets = docker.list("secrets", label=[f"com.docker.stack.namespace={STACK}"])
    except (OSError, RemoteError):
        return {}
    found = {
        f"service {name}": {**_properties(service["Spec"]), "since": service.get("UpdatedAt")}
        for name, service in services.items()
    }
    held = {name for service in services.values() for name in _held(service)} | set(context["recorded"])
    for secret in secrets:
        name = secret["Spec"]["Name"]
        if f"secret {name}" in names or _left_over(secret, held, context["keep_days"]):
            found[f"secret {name}"] = {}
    return found


def apply(
    items: dict[str, Any],
    changed: list[str],
    removed: list[str],
    context: dict[str, Any],
    payload: dict[str, Any],
) -> None:
    """Create missing secrets, deploy changed services phase by phase, remove what is no longer planned."""
    docker = Docker()
    rollout = Rollout(docker, items, context["phase_seconds"])
    for name in _named("secret", changed):
        create_secret(docker, name, payload["secrets"][name])
    definitions = payload["definitions"]
    services = _named("service", changed)
    for phase in sorted({_phase(definitions[name]) for name in services}):
        of_phase = {name: definitions[name] for name in services if _phase(definitions[name]) == phase}
        needed = {need for name in of_phase for need in context["depends_on"].get(name, ())}
        earlier = [name for name in needed if name not in services and _phase(definitions[name]) < phase]
        rollout.wait(f"what phase {phase} stands on", earlier)
        deploy(of_phase)
        seconds = rollout.wait(f"phase {phase}", list(of_phase), of_phase)
        print(f"phase {phase}: {len(of_phase)} services healthy after {seconds:.0f} s")
    for name in _named("service", removed):
        remove_service(docker, name)
    for name in _named("secret", removed):
        status, answer = docker.raw("DELETE", f"/secrets/{name}")
        if status >= 400 and status != 404:
            print(f"secret {name} stays: {json.loads(answer)['message']}")


def _named(kind: str, items: list[str]) -> list[str]:
    return [name.split(" ", 1)[1] for name in items if name.startswith(f"{kind} ")]


def _phase(definition: dict[str, Any]) -> int:
    return int(definition["deploy"]["labels"]["nexus.phase"])


def _properties(spec: dict[str, Any]) -> dict[str, Any]:
    """What the plan compares, see `properties` in stack.py."""
    task = spec["TaskTemplate"]
    container = task["ContainerSpec"]
    limits = (task.get("Resources") or {}).get("Limits") or {}
    return {
        "hash": spec["Labels"].get("nexus.hash"),
        "image": container["Image"],
        "replicas": spec["Mode"].get("Replicated", {}).get("Replicas"),
        "secrets": sorted(f"{s['File']['Name']}={s['SecretName']}" for s in container.get("Secrets") or []),
        "environment": sorted(container.get("Env") or []),
        "constraints": sorted((task.get("Placement") or {}).get("Constraints") or []),
        "memory_limit_bytes": limits.get("MemoryBytes", 0),
        "command": [*(container.get("Command") or []), *(container.get("Args") or [])],
    }


def _held(service: dict[str, Any]) -> set[str]:
    """Names of secrets that a service mounts, or did before its last update."""
    specs = [service["Spec"], service.get("PreviousSpec") or service["Spec"]]
    return {
        s["SecretName"] for spec in specs for s in spec["TaskTemplate"]["ContainerSpec"].get("Secrets") or []
    }


def _left_over(secret: dict[str, Any], held: set[str], keep_days: int) -> bool:
    """Whether no service holds the secret and it is too old for a rollback."""
    oldest = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=keep_days)
    return secret["Spec"]["Name"] not in held and secret["CreatedAt"] < oldest.isoformat()


def create_secret(docker: Docker, name: str, content: str) -> None:
    labels = {"com.docker.stack.namespace": STACK}
    body = {"Name": name, "Labels": labels, "Data": binascii.b2a_base64(content.encode(), newline=False).decode()}
    status, answer = docker.raw("POST", "/secrets/create", body)
    if status >= 400 and status != 409:  # 409: made by a run that died before it could deploy
        raise RemoteError(f"cannot create the secret {name}: {json.loads(answer)['message']}")


def remove_service(docker: Docker, name: str) -> None:
    status, answer = docker.raw("DELETE", f"/services/{STACK}_{name}")
    if status >= 400 and status != 404:
        raise RemoteError(f"cannot remove the service {name}: {json.loads(answer)['message']}")
    print(f"removed service {name}")

"""The stack: one Compose definition per service, computed from the catalogue and the settings.

Pure data: host/state.py deploys it, and plan.py combines the two.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.fingerprint import keyed_hash
from nexus.environment.generated import plain
from roles.registry.plan import login, registry_name, repository
from roles.router.plan import stack as router_stack
from roles.service.contents import mounted
from roles.service.released import released
from roles.service.scale import resources, size
from roles.swarm.plan import NETWORK

NAME = "nexus"  # Docker puts it before the name of each service: nexus_auth-service
HEALTH = "/usr/local/bin/nexus-health"
HEALTH_START_SECONDS = 6  # how long one check of a starting service repeats its request
HEALTH_SPARE_SECONDS = 30  # a check that has not ended this long after its time hangs
VERSION = "3.12"  # of the Compose file: older ones have no start_interval
LOGGING = {"driver": "journald"}  # into the host's journal, from where lines go to the log store
Definition = dict[str, Any]


def definitions(env: Environment) -> dict[str, Definition]:
    """Compose definitions by service name, in start order; the router is last, once services can answer."""
    found = {service.name: definition(env, service) for service in env.catalogue.services.values()}
    if env.group("edge"):
        last = max((service.startup_phase for service in env.catalogue.services.values()), default=0)
        router = {"image": image(env, "router"), **router_stack(env)}
        found["router"] = _labelled(env, "router", last + 1, router)
    return found


def definition(env: Environment, service: Service) -> Definition:
    """The Compose definition of one service of the catalogue."""
    setting = env.setting
    content: Definition = {
        "image": image(env, service.name),
        "labels": {"nexus.service": service.name},
        "logging": LOGGING,
        "networks": [NETWORK],
        "configs": _mounts(env, service, "config"),
        "secrets": _mounts(env, service, "secret"),
        "healthcheck": health_check(env),
        "init": False,
        "stop_grace_period": f"{setting.service_stop_seconds}s",
        "deploy": {
            "replicas": size(env, service).replicas,
            "endpoint_mode": "dnsrr",
            "placement": {
                "constraints": ["node.labels.nexus.app == true"],
                "preferences": [{"spread": "node.labels.nexus.host"}],
            },
            "resources": resources(env, service),
            "restart_policy": {"condition": "any", "delay": f"{setting.service_restart_delay_seconds}s"},
            "update_config": _rollout(env, "rollback"),
            "rollback_config": _rollout(env, "pause"),
        },
    }
    return _labelled(env, service.name, service.startup_phase, content)


def _mounts(env: Environment, service: Service, kind: str) -> list[Definition]:
    found = [(path, *item.split(" ")) for path, (item, _) in sorted(mounted(env, service).items())]
    return [{"source": name, "target": path, "mode": 0o444} for path, of_kind, name in found if of_kind == kind]


def health_check(env: Environment) -> Definition:
    """Checks are long-lived processes: the engine starts one every few minutes, and it asks every few seconds."""
    setting = env.setting
    watch, period, answer = (
        setting.service_health_watch_seconds,
        setting.service_health_interval_seconds,
        setting.service_health_timeout_seconds,
    )
    return {
        "test": ["CMD", HEALTH, *map(str, (HEALTH_START_SECONDS, watch, period, answer))],
        "interval": f"{period}s",
        "timeout": f"{max(HEALTH_START_SECONDS, watch) + answer + HEALTH_SPARE_SECONDS}s",
        "retries": setting.service_health_retries,
        "start_period": f"{setting.service_health_start_seconds}s",
        "start_interval": f"{setting.service_health_start_interval_seconds}s",
    }


def image(env: Environment, name: str) -> str:
    """Reference of a service's image: by digest once that is known, before by release."""
    now = released(env, name)
    reference = f"{repository(env, name)}:{now.release}"
    return f"{reference}@{now.digest}" if now.digest else reference


def stack_file(contents: Mapping[str, Definition]) -> str:
    """The stack as `docker stack deploy -c` takes it."""
    stack: Definition = {"version": VERSION, "networks": {NETWORK: {"external": True}}, "services": dict(contents)}
    for kind in ("configs", "secrets"):
        names = {file["source"] for content in contents.values() for file in content.get(kind, ())}
        stack[kind] = {name: {"external": True} for name in sorted(names)}
    return plain(stack)


def properties(content: Definition) -> dict[str, Any]:
    """The properties that are compared with the running service; they name all that is easily changed by hand."""
    deploy = content["deploy"]
    found = deploy.get("resources", {})
    return {
        "hash": deploy["labels"]["nexus.hash"],
        "image": content["image"],
        "replicas": None if deploy.get("mode") == "global" else deploy.get("replicas", 1),
        "files": sorted(
            f"{file['target']}: {kind} {file['source']}"
            for kind in ("config", "secret")
            for file in content.get(f"{kind}s", ())
        ),
        "environment": sorted(f"{key}={value}" for key, value in content.get("environment", {}).items()),
        "constraints": sorted(deploy["placement"]["constraints"]),
        "memory_limit_bytes": int(found.get("limits", {}).get("memory", 0)),
        "command": [*content.get("entrypoint", []), *content.get("command", [])],
        **_safety(content),
        "update": "settled",
        "tasks": "all run",
    }


def _safety(content: Definition) -> dict[str, Any]:
    """Properties that decide who reaches a service, what it may do, and what happens when it fails."""
    return {
        "published": sorted(port["published"] for port in content.get("ports", ())),
        "networks": len(content["networks"]),
        "mounts": sorted(f"{one['source']}:{one['target']}" for one in content.get("volumes", ())),
        "user": content.get("user", ""),
        "capabilities": sorted(content.get("cap_add", ())),
        "healthcheck": list(content["healthcheck"]["test"]),
        "restart": content["deploy"]["restart_policy"]["condition"],
        "after a failed update": content["deploy"]["update_config"]["failure_action"],
    }


def _rollout(env: Environment, on_failure: str) -> dict[str, Any]:
    return {
        "parallelism": env.setting.service_update_parallelism,
        "order": "start-first",
        "failure_action": on_failure,
        "monitor": f"{env.setting.service_update_monitor_seconds}s",
        "max_failure_ratio": 0,
    }


def _labelled(env: Environment, name: str, phase: int, content: Definition) -> Definition:
    """The definition with the labels that identify it, among them its own hash.

    Swarm keeps the login at the registry with each service but never shows it, so a label tells which login a
    service has. A service with another login gets ours; its tasks keep running, since Swarm ignores that change.
    """
    registry = keyed_hash(env, " ".join(login(env))) if registry_name(env) else ""
    text = json.dumps([content, registry], sort_keys=True)
    labels = {
        "nexus.service": name,
        "nexus.phase": str(phase),
        "nexus.hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        "nexus.registry": registry,
    }
    deploy = {**content["deploy"], "labels": {**content["deploy"].get("labels", {}), **labels}}
    return {**content, "deploy": deploy}

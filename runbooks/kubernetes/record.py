"""The records of releases in a cluster: a ConfigMap for each service, with the same content as in the swarm.

No rendered object holds a record, so no apply of files undoes one.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nexus.environment.environment import Environment
from roles.service.released import UNRECORDED, Released
from roles.service.released import key as record_key
from runbooks.kubernetes import graph
from runbooks.kubernetes.item import COMPONENT, NAME, RELEASE, VERSION, Object, in_environment, item, key

Kept = dict[str, dict[str, Any]]


def named(service: str) -> str:
    """The name of the ConfigMap with the record of a service."""
    return f"{service}-release"


def record(env: Environment, service: str, content: Mapping[str, Any]) -> Object:
    """The ConfigMap with the record of a service."""
    place = graph.namespace(env.catalogue, env.catalogue.service(service))
    labels, data = {NAME: service, COMPONENT: RELEASE}, {"record": json.dumps(content, indent=1)}
    return in_environment(item("v1", "ConfigMap", named(service), place, labels=labels, data=data), env.name)


def kept(found: Iterable[Object], services: Collection[str]) -> Kept:
    """What the cluster keeps for these services: their releases, recorded or as they run, and configurations.

    A service without a record was never released: in its place stands what it runs, marked as unrecorded.
    """
    running, recorded, configurations = Kept(), Kept(), Kept()
    for each in found:
        kind, data, service = key(each)[0], each.get("data") or {}, each["metadata"]["labels"].get(NAME)
        if service not in services:
            continue
        if kind == "Deployment":
            running[record_key(service)] = {"current": runs(each).value(), UNRECORDED: True}
        elif kind == "ConfigMap" and "record" in data:
            recorded[record_key(service)] = json.loads(data["record"])
        elif kind == "ConfigMap" and "config" in data:
            configurations[held_key(key(each)[2])] = {"text": data["config"]}
    return {**running, **recorded, **configurations}


def held_key(config: str) -> str:
    """The key of a configuration among the kept values."""
    return f"configuration {config}"


def runs(found: Object) -> Released:
    """The release of a Deployment or ReplicaSet, from its pod template, with the name of its configuration."""
    template = found["spec"]["template"]
    digest = template["spec"]["containers"][0]["image"].partition("@")[2]
    config = next((name for _, name in configs(found)), "")
    return Released(template["metadata"]["labels"].get(VERSION, ""), digest, config)


def configs(found: Object) -> list[tuple[str, str]]:
    """(namespace, name) of the ConfigMaps that pods of a Deployment or ReplicaSet mount."""
    volumes = found["spec"]["template"]["spec"].get("volumes") or ()
    parts = [part for volume in volumes for part in (volume.get("projected") or {}).get("sources") or ()]
    return [(key(found)[1], part["configMap"]["name"]) for part in parts if "configMap" in part]

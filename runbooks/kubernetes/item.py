"""Objects of Kubernetes as plain data, and the names and labels that all of ours share."""

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
VERSION = "app.kubernetes.io/version"
MANAGER = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
ENVIRONMENT = "nexus-cos/environment"
NAMESPACE = "kubernetes.io/metadata.name"  # the cluster sets it on each namespace
OURS = {MANAGER: "nexus-cos", PART_OF: "nexus-cos"}
SERVER, MIGRATION, RELEASE = "server", "migration", "release"
PORT = "http"  # name of the port of every container and Service


def item(api: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    """An object with our labels; `labels` adds to them, `annotations` are its own, the rest is as given."""
    labels = {**OURS, **rest.pop("labels", {})}
    metadata: Object = {"name": name, **({"namespace": namespace} if namespace else {}), "labels": labels}
    if annotations := rest.pop("annotations", None):
        metadata["annotations"] = annotations
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def selector(service: str) -> dict[str, str]:
    """Labels of the pods that serve requests. They never change: a Deployment's selector is immutable."""
    return {NAME: service, COMPONENT: SERVER}


def key(found: Mapping[str, Any]) -> tuple[str, str, str]:
    """What names an object in a cluster: kind, namespace and name."""
    metadata = found.get("metadata") or {}
    return str(found.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name"))


def shown(found: Mapping[str, Any]) -> str:
    """An object in messages: "Deployment nexus-auth/auth-service"."""
    kind, namespace, name = key(found)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def in_environment(found: Object, name: str) -> Object:
    """The same object with the label of its environment."""
    metadata = found["metadata"]
    return {**found, "metadata": {**metadata, "labels": {**metadata["labels"], ENVIRONMENT: name}}}

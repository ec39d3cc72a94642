"""Rendered objects by kind, namespace and name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runbooks.kubernetes.item import Object, key

WORKLOADS = ("Deployment", "Job")


class Index:
    """All objects of one rendering. Later ones of the same name hide earlier ones; shape.py reports duplicates."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self.objects = objects
        self._by_key = {key(each): each for each in objects}

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object of this name, if there is one."""
        return self._by_key.get((kind, namespace, name))

    def of(self, *kinds: str) -> list[Object]:
        """All objects of these kinds."""
        return [each for each in self.objects if each.get("kind") in kinds]

    def templates(self) -> Iterator[tuple[Object, Object]]:
        """(object, pod template) of everything that starts pods."""
        for each in self.of(*WORKLOADS):
            yield each, each["spec"]["template"]

    def selected(self, namespace: str, labels: Mapping[str, Any]) -> list[Object]:
        """Workloads of a namespace whose pods have these labels; none for no labels at all."""
        if not labels:
            return []
        return [each for each, template in self.templates() if place(each) == namespace and has(template, labels)]

    def has_secret(self, namespace: str, name: str) -> bool:
        """Whether a Secret of this name comes into being: as such, or by External Secrets."""
        if self.get("Secret", namespace, name):
            return True
        made = [each["spec"]["target"]["name"] for each in self.of("ExternalSecret") if place(each) == namespace]
        return name in made


def place(found: Object) -> str:
    """The namespace of an object."""
    return key(found)[1]


def has(template: Object, labels: Mapping[str, Any]) -> bool:
    """Whether pods of the template have all of these labels."""
    own = template["metadata"].get("labels") or {}
    return all(own.get(name) == value for name, value in labels.items())


def containers(template: Object) -> list[Object]:
    """All containers of a pod."""
    spec = template["spec"]
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def minimum(index: Index, found: Object) -> int:
    """The least number of pods that a Deployment has: its autoscaler's, else its own; 1 where neither says."""
    for scaler in index.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        if (place(scaler), target["kind"], target["name"]) == (place(found), found["kind"], key(found)[2]):
            return int(scaler["spec"].get("minReplicas", 1))
    return int(found["spec"].get("replicas", 1))

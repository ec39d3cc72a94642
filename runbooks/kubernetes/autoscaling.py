"""Deployments whose replicas an autoscaler decides: the least of them, and how it gets them from a fixed number.

A field that nobody owns any more goes back to its default, which is one replica. So a Deployment with a fixed number
keeps it, in the name of another owner, until its autoscaler decides.
"""

from collections.abc import Iterable

from runbooks.kubernetes.item import Object, key

SCALER = "HorizontalPodAutoscaler"
WORKLOADS = ("Deployment", SCALER)  # kinds that are applied last: what pods need is there before them


def least(objects: Iterable[Object]) -> dict[str, int]:
    """{service: the replicas that a rollout waits for}."""
    found: dict[str, int] = {}
    for each in objects:
        if each["kind"] == "Deployment":
            found.setdefault(key(each)[2], each["spec"].get("replicas", 1))
        elif each["kind"] == SCALER:
            found[key(each)[2]] = each["spec"]["minReplicas"]
    return found


def handed_over(there: Iterable[Object], objects: Iterable[Object]) -> list[Object]:
    """The replicas of Deployments that exist and get their first autoscaler, as objects with nothing else."""
    known = {key(each): each for each in there}
    new = [key(each) for each in objects if each["kind"] == SCALER and key(each) not in known]
    found = [known.get(("Deployment", namespace, name)) for _, namespace, name in new]
    return [_replicas(each) for each in found if each]


def _replicas(deployment: Object) -> Object:
    _, namespace, name = key(deployment)
    metadata = {"name": name, "namespace": namespace}
    spec = {"replicas": deployment["spec"].get("replicas", 1)}
    return {"apiVersion": deployment["apiVersion"], "kind": "Deployment", "metadata": metadata, "spec": spec}


def kept(objects: Iterable[Object], handed: Iterable[Object]) -> list[Object]:
    """The objects with the replicas that were handed over, as the server has them after that."""
    replicas = {key(each): each["spec"] for each in handed}
    return [
        {**each, "spec": {**each["spec"], **replicas[key(each)]}} if key(each) in replicas else each for each in objects
    ]

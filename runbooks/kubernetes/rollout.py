"""Rollouts of Deployments: whether they are through, what holds them up, and the way back."""

import time
from collections.abc import Collection, Iterable

import gevent

from nexus.error import OperatorError
from runbooks.kubernetes.item import NAME, Object, key
from runbooks.kubernetes.kubectl import Cluster

POLL_SECONDS = 2
SPARE_SECONDS = 60  # after a Deployment's own deadline


def done(found: Object) -> bool:
    """Whether all pods of the Deployment run its present template and serve."""
    status = found.get("status") or {}
    wanted = found["spec"].get("replicas", 1)
    current = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    counts = (status.get("updatedReplicas", 0), status.get("availableReplicas", 0), status.get("replicas", 0))
    return current and counts == (wanted, wanted, wanted)


def failed(found: Object) -> bool:
    """Whether the Deployment has given up."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    current = (found.get("status") or {}).get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    return current and any(each.get("reason") == "ProgressDeadlineExceeded" for each in conditions)


def wait(cluster: Cluster, names: Collection[str], back: bool) -> None:
    """Wait until these services are rolled out; OperatorError with the reasons if some are not.

    With `back` those that failed go back to their earlier ReplicaSet.
    """
    found = {name: each for name, each in cluster.deployments().items() if name in names}
    limits = [each["spec"].get("progressDeadlineSeconds", 600) for each in found.values()]
    end = time.monotonic() + max(limits, default=0) + SPARE_SECONDS
    while True:
        open_ones = {name: each for name, each in found.items() if not done(each)}
        if not open_ones:
            return
        bad = {name: each for name, each in open_ones.items() if failed(each)}
        if len(bad) == len(open_ones) or time.monotonic() > end:
            break
        gevent.sleep(POLL_SECONDS)
        found = {name: each for name, each in cluster.deployments().items() if name in names}
    lines = [f"{name} is not rolled out: {reason(cluster, each)}" for name, each in open_ones.items()]
    lines += [_back(cluster, each) for each in open_ones.values()] if back else []
    raise OperatorError("\n".join(lines))


def undo(cluster: Cluster, found: Object) -> None:
    """Give a Deployment its earlier template again."""
    _, namespace, name = key(found)
    cluster.run("rollout", "undo", f"deployment/{name}", "-n", namespace)


def _back(cluster: Cluster, found: Object) -> str:
    """Undo; what was done, or why it could not be."""
    name = key(found)[2]
    try:
        undo(cluster, found)
    except OperatorError as error:
        return f"{name} cannot go back: {error}"
    return f"{name} goes back to its earlier release"


def reason(cluster: Cluster, found: Object) -> str:
    """What the pods of a Deployment say that are not ready."""
    _, namespace, name = key(found)
    pods = cluster.items(["pods"], namespace)
    own = [each for each in pods if each["metadata"]["labels"].get(NAME) == name]
    told = list(dict.fromkeys(text for each in own for text in _said(each.get("status") or {})))
    return "; ".join(told[:3]) or "its pods say nothing; see `kubectl describe deployment`"


def _said(status: Object) -> Iterable[str]:
    for each in status.get("containerStatuses") or ():
        waiting = (each.get("state") or {}).get("waiting")
        if waiting:
            yield f"{waiting.get('reason')}: {waiting.get('message', '')}"
    for each in status.get("conditions") or ():
        if each.get("status") == "False" and each.get("message"):
            yield f"{each.get('reason')}: {each['message']}"

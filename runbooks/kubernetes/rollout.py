"""Rollouts of Deployments: whether they are through, what holds them up, and the way back."""

import time
from collections.abc import Iterable, Mapping

import gevent

from nexus.error import OperatorError
from runbooks.kubernetes.item import NAME, Object, key
from runbooks.kubernetes.kubectl import Cluster

POLL_SECONDS = 2
REVISION = "deployment.kubernetes.io/revision"  # counted by the cluster, from 1
COMPLETE = "NewReplicaSetAvailable"  # the template is rolled out, whatever happened to pods since then
SPARE_SECONDS = 60  # after a Deployment's own deadline


def done(found: Object, least: int = 0) -> bool:
    """Whether all pods of the Deployment run its present template and serve: `least` or more.

    An autoscaler raises the replicas of a new Deployment to its least a little later.
    """
    status = found.get("status") or {}
    wanted = max(found["spec"].get("replicas", 1), least)
    counts = (status.get("updatedReplicas", 0), status.get("availableReplicas", 0), status.get("replicas", 0))
    return _observed(found) and counts == (wanted, wanted, wanted)


def failed(found: Object) -> bool:
    """Whether the Deployment has given up."""
    return _progress(found) == "ProgressDeadlineExceeded"


def _progress(found: Object) -> str:
    """How far the Deployment says that its present template is; empty if it has not seen it yet."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    reasons = [str(each.get("reason")) for each in conditions if each.get("type") == "Progressing"]
    return "".join(reasons) if _observed(found) else ""


def _observed(found: Object) -> bool:
    status = found.get("status") or {}
    return bool(status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0))


def wait(cluster: Cluster, least: Mapping[str, int], back: bool) -> None:
    """Wait until services are rolled out; OperatorError with the reasons if some are not.

    `least` has the replicas that each must have. With `back` those that failed go back to their earlier ReplicaSet.
    Replicas that find no room are no such failure.
    """
    found = {name: each for name, each in cluster.deployments().items() if name in least}
    limits = [each["spec"].get("progressDeadlineSeconds", 600) for each in found.values()]
    end = time.monotonic() + max(limits, default=0) + SPARE_SECONDS
    while True:
        open_ones = {name: each for name, each in found.items() if not done(each, least[name])}
        if not open_ones:
            return
        bad = {name: each for name, each in open_ones.items() if failed(each)}
        if len(bad) == len(open_ones) or time.monotonic() > end:
            break
        gevent.sleep(POLL_SECONDS)
        found = {name: each for name, each in cluster.deployments().items() if name in least}
    lines = [f"{name} is not rolled out: {reason(cluster, each)}" for name, each in open_ones.items()]
    if back:
        lines += _all_back(cluster, [each for each in open_ones.values() if _progress(each) != COMPLETE])
    raise OperatorError("\n".join(lines))


def undo(cluster: Cluster, found: Object) -> None:
    """Give a Deployment its earlier template again."""
    _, namespace, name = key(found)
    cluster.run("rollout", "undo", f"deployment/{name}", "-n", namespace)


def _all_back(cluster: Cluster, found: Iterable[Object]) -> list[str]:
    """Undo; a line for each that has an earlier release, and one for the others."""
    parts = list(found)
    first = [key(each)[2] for each in parts if (each["metadata"].get("annotations") or {}).get(REVISION, "1") == "1"]
    lines = [_back(cluster, each) for each in parts if key(each)[2] not in first]
    return [*lines, *([f"no earlier release to go back to: {', '.join(first)}"] if first else [])]


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
    try:
        pods = cluster.items(["pods"], namespace)
    except OperatorError as error:  # the other services are told all the same
        return f"its pods cannot be read: {error}"
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

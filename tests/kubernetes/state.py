"""What a cluster has of the catalogue, as tests compare it: Deployments, pods, versions of objects."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runbooks.kubernetes.item import MANAGER, NAME, OURS, key
from runbooks.kubernetes.kubectl import KINDS
from tests.kubernetes.control_plane import ControlPlane

LABEL = f"{MANAGER}={OURS[MANAGER]}"
Object = dict[str, Any]


def deployments(plane: ControlPlane) -> dict[str, Object]:
    """{service: its Deployment}."""
    return {key(each)[2]: each for each in plane.items("deployments", "-l", LABEL)}


def image(plane: ControlPlane, service: str) -> str:
    """The image of a service's pod template."""
    return str(deployments(plane)[service]["spec"]["template"]["spec"]["containers"][0]["image"])


def available(plane: ControlPlane) -> dict[str, int]:
    """{service: its available replicas}."""
    return {name: each.get("status", {}).get("availableReplicas", 0) for name, each in deployments(plane).items()}


def ready(plane: ControlPlane) -> dict[str, int]:
    """{service: its ready replicas}, some of them not long enough to be available."""
    return {name: each.get("status", {}).get("readyReplicas", 0) for name, each in deployments(plane).items()}


@contextmanager
def fewest(plane: ControlPlane) -> Iterator[dict[str, int]]:
    """{service: the fewest ready replicas} that are seen while the block runs."""
    found, done = ready(plane), threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            for name, count in ready(plane).items():
                found[name] = min(found[name], count)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        done.set()
        looking.join()


def pods(plane: ControlPlane, service: str = "") -> list[Object]:
    """Pods of a service, or of all; those that are being deleted are left out."""
    more = f",{NAME}={service}" if service else ""
    return [each for each in plane.items("pods", "-l", LABEL + more) if "deletionTimestamp" not in each["metadata"]]


def pending(plane: ControlPlane) -> list[str]:
    """The service of each pod that no node has room for."""
    return [each["metadata"]["labels"][NAME] for each in pods(plane) if not each["spec"].get("nodeName")]


def versions(plane: ControlPlane) -> dict[tuple[str, str, str], str]:
    """{object: its version}, of all kinds that a run writes; a new status alone makes no new version."""
    known = set(plane.kubectl("api-resources", "--verbs=list", "-o", "name").split())
    kinds = ",".join(kind for kind in KINDS if kind in known)
    return {key(each): _version(each) for each in plane.items(kinds, "-l", LABEL)}


def _version(found: Object) -> str:
    metadata = found["metadata"]
    if "status" not in found:
        return str(metadata["resourceVersion"])
    return json.dumps([metadata.get("labels"), metadata.get("annotations"), found["spec"]], sort_keys=True)


def wait_until(holds: Callable[[], bool], seconds: float = 120) -> None:
    """AssertionError unless this holds before so many seconds are over."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{holds} does not hold after {seconds} s"
        time.sleep(1)

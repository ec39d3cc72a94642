"""Nodes without machines: what a kubelet reports of itself and of its pods, written to the API server.

A pod runs at once and is ready, except if its image says otherwise: BROKEN is not found, FAILING ends with an error.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import requests

from tests.kubernetes.control_plane import ControlPlane

BROKEN, FAILING = ":broken", ":failing"
BEAT_SECONDS = 8.0
POLL_SECONDS = 0.5
ZONES = 3
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
Object = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """Capacity of a node, as quantities of Kubernetes."""

    cpu: str
    memory: str
    gpus: int = 0


class Nodes(threading.Thread):
    """Nodes of one cluster; those in `lost` no longer report anything."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(daemon=True)
        self.lost: set[str] = set()
        self.names: list[str] = []
        self.error: BaseException | None = None
        self._plane, self._session = plane, plane.session("nodes")
        self._done = threading.Event()
        self._beaten = 0.0
        self._addresses = 0

    def __enter__(self) -> Nodes:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def add(self, names: Iterable[str], size: Size) -> None:
        """Add nodes of one size, spread over zones."""
        for number, name in enumerate(names):
            labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone{number % ZONES + 1}"}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
            self._send("post", "/api/v1/nodes", json=node)
            room = {"cpu": size.cpu, "memory": size.memory, "pods": "110", "nvidia.com/gpu": str(size.gpus)}
            self._status(f"/api/v1/nodes/{name}", {"capacity": room, "allocatable": room, **_alive()})
            self.names.append(name)

    def run(self) -> None:
        """Report until the cluster ends."""
        while not self._done.wait(POLL_SECONDS):
            try:
                self._report()
            except requests.RequestException as error:
                self.error = error  # a test that waits in vain shows it

    def _report(self) -> None:
        if time.monotonic() > self._beaten + BEAT_SECONDS:
            for name in self.names:
                if name not in self.lost:
                    self._status(f"/api/v1/nodes/{name}", _alive())
            self._beaten = time.monotonic()
        for pod in self._send("get", "/api/v1/pods?resourceVersion=0").json()["items"]:
            node = pod["spec"].get("nodeName")
            if node in self.names and node not in self.lost:
                self._serve(pod)

    def _serve(self, pod: Object) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            self._send("delete", path, json={"gracePeriodSeconds": 0})
        elif "containerStatuses" not in pod["status"]:
            self._addresses += 1
            self._status(path, _reported(pod, f"10.244.{self._addresses // 250}.{self._addresses % 250 + 1}"))

    def _status(self, path: str, status: Object) -> None:
        self._send("patch", f"{path}/status", json={"status": status}, headers=STRATEGIC)

    def _send(self, method: str, path: str, **rest: Any) -> requests.Response:
        answer = self._session.request(method, f"{self._plane.address}{path}", timeout=60, **rest)
        if answer.status_code not in (404, 409):  # it is gone, or is another one by now
            answer.raise_for_status()
        return answer


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _alive() -> Object:
    return {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": _now()}]}


def _reported(pod: Object, address: str) -> Object:
    """The status of a pod that has just started, or has not."""
    (container,) = pod["spec"]["containers"]
    image, waits = container["image"], pod["spec"]["restartPolicy"] == "Always"
    state: Object = {"running": {"startedAt": _now()}}
    phase, ready, message = "Running", True, ""
    if BROKEN in image:
        state = {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}}
        phase, ready, message = "Pending", False, "containers with unready status: [service]"
    elif not waits:
        code = int(FAILING in image)
        state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": _now()}}
        phase, ready = "Failed" if code else "Succeeded", False
    condition = {"status": str(ready), "lastTransitionTime": _now(), "message": message}
    about = {"name": container["name"], "image": image, "imageID": image, "restartCount": 0}
    return {
        "phase": phase,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _now(),
        "conditions": [{"type": name, **condition} for name in ("Initialized", "ContainersReady", "Ready")],
        "containerStatuses": [{**about, "ready": ready, "started": ready, "state": state}],
    }

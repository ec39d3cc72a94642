"""Runs on a node: its containers and, on a manager, services, tasks and nodes as metrics. Changes nothing.

A service is named by its label `nexus.service`; one without it is none of the platform's.
"""

import calendar
import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from nexus.agent.metrics import Sample
from roles.docker.host.client import Docker

LABEL = "nexus.service"
TASK = "com.docker.swarm.task.name"
ID_CHARACTERS = 12  # as docker ps shows them
SCOPE = "/sys/fs/cgroup/system.slice/docker-{}.scope"
RECENT_SECONDS = 900
FAILED = {"failed", "rejected"}

Item = Mapping[str, Any]


def samples(words: list[str]) -> Iterator[Sample]:
    """All metrics of this node."""
    docker = Docker(timeout=10)
    yield from containers(docker.list("containers/json", status=["running"]))
    if "manager" in words:
        named = {service["ID"]: service for service in docker.list("services") if LABEL in _labels(service)}
        yield from tasks(named, docker.list("tasks"), time.time())
        yield from nodes(docker.list("nodes"))


def containers(found: list[dict[str, Any]]) -> Iterator[Sample]:
    """Which service, task and release a container belongs to, and the memory that it uses."""
    for container in found:
        labels = container["Labels"]
        if LABEL in labels:
            names = {"id": container["Id"][:ID_CHARACTERS], "service": labels[LABEL], "task": labels.get(TASK, "")}
            yield "nexus_container_info", {**names, "release": _release(container["Image"])}, 1
            with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
                yield "nexus_container_memory_bytes", names, used(SCOPE.format(container["Id"]))


def used(scope: str) -> int:
    """Bytes of a control group that count against its limit, without pages that the kernel can drop at once.

    Where the kernel does not count them: what its processes have for themselves.
    """
    try:
        stat = dict(line.split() for line in _read(f"{scope}/memory.stat").splitlines())
        return int(_read(f"{scope}/memory.current")) - int(stat["inactive_file"])
    except FileNotFoundError:
        return sum(map(_private, _read(f"{scope}/cgroup.procs").split()))


def _private(process: str) -> int:
    try:
        status = _read(f"/proc/{process}/status")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(size) * 1024 for size in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB$", status, re.MULTILINE))


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read()


def tasks(services: Mapping[str, Item], found: list[dict[str, Any]], now: float) -> Iterator[Sample]:
    """How many tasks of a service should run, and do, and how often the worst of its slots failed lately."""
    states: dict[str, Counter[str]] = {one: Counter(running=0) for one in services}
    failures: dict[str, Counter[str]] = {one: Counter() for one in services}
    for task in found:
        service, state = task["ServiceID"], task["Status"]["State"]
        if service not in services:
            continue
        if task["DesiredState"] == "running":
            states[service][state] += 1
        if state in FAILED and now - seconds(task["Status"]["Timestamp"]) < RECENT_SECONDS:
            failures[service][str(task.get("Slot") or task.get("NodeID"))] += 1
    for one, service in services.items():
        label = {"service": _labels(service)[LABEL]}
        wanted = (service["Spec"]["Mode"].get("Replicated") or {}).get("Replicas")
        yield "nexus_service_tasks_wanted", label, states[one].total() if wanted is None else wanted
        for state, count in states[one].items():
            yield "nexus_service_tasks", {**label, "state": state}, count
        yield "nexus_service_failed_tasks", label, max(failures[one].values(), default=0)
        if limit := memory(service):
            yield "nexus_service_memory_limit_bytes", label, limit


def memory(service: Item) -> int:
    """Bytes that a task may use; what is reserved for it if its host cannot limit memory."""
    resources = service["Spec"]["TaskTemplate"].get("Resources") or {}
    found = ((resources.get(kind) or {}).get("MemoryBytes") for kind in ("Limits", "Reservations"))
    return next(filter(None, found), 0)


def nodes(found: list[dict[str, Any]]) -> Iterator[Sample]:
    """Whether a node is ready, as this manager sees it."""
    for node in found:
        labels = {"node": node["Description"]["Hostname"], "availability": node["Spec"]["Availability"]}
        yield "nexus_swarm_node_ready", labels, float(node["Status"]["State"] == "ready")


def seconds(timestamp: str) -> float:
    """Seconds since 1970 of a time as Docker writes it: UTC, with nanoseconds."""
    return float(calendar.timegm(time.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S")))


def _release(image: str) -> str:
    tag = re.search(r":([^:/@]+)(?:@|$)", image)
    return tag[1] if tag else ""


def _labels(service: Item) -> Mapping[str, str]:
    labels: Mapping[str, str] = service["Spec"].get("Labels") or {}
    return labels

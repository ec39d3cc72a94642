"""Settings of size that fit the hosts, each with its reason, by the capacity report."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nexus.catalogue import defaults
from nexus.catalogue.catalogue import Catalogue
from nexus.catalogue.size import GIB, Scale, asked
from nexus.error import OperatorError
from roles.service import capacity
from roles.service.machine import Machine

REPLICAS_MAX = (0, 3, 2)  # two replicas on different hosts survive the loss of one
CPU_SCALES = (1.0, 0.5, 0.25, 0.1, 0.0)
MEMORY_SCALES = (1.0, 0.5, 0.25, 0.125, 0.0625)
# Shares of a host that all stores are on and no services: they leave a sixth of it to the system.
SHARES = {
    "postgresql_memory_percent": 40,
    "redis_memory_percent": 15,
    "redis_cache_memory_percent": 5,
    "rabbitmq_memory_percent": 15,
    "mongodb_memory_percent": 10,
}
SPLIT = {"redis_memory_percent": 2 / 3, "redis_cache_memory_percent": 1 / 3}  # both instances are one store


class Line(NamedTuple):
    """One line of group data."""

    name: str
    value: Any
    why: str


def sizes(catalogue: Catalogue, machines: Sequence[Machine]) -> list[Line]:
    """The largest size that fits, even without any one app host where possible; nothing for the full size.

    Memory is lowered last: a service with too little of it is killed, one with too little CPU is slow.
    """
    gpu = any(machine.gpu_count for machine in machines)
    fallback: dict[str, Any] | None = None
    several = sum("app" in machine.groups for machine in machines) > 1
    passes = (REPLICAS_MAX, (1,)) if several else ((*REPLICAS_MAX, 1),)
    each = (itertools.product(MEMORY_SCALES, CPU_SCALES, replicas) for replicas in passes)
    for memory, cpu, replicas in itertools.chain.from_iterable(each):
        chosen = _changed(memory, cpu, replicas, gpu)
        report = capacity.check(catalogue, chosen, machines)
        if report.errors:
            continue
        if not any("without " in finding.where for finding in report.findings):
            return _lines(catalogue, machines, chosen, alone=False)
        fallback = fallback or chosen
    if fallback is None:
        report = capacity.check(catalogue, _changed(MEMORY_SCALES[-1], 0.0, 1, gpu), machines)
        raise OperatorError(
            "the services do not fit even at the smallest size:\n  " + "\n  ".join(map(str, report.errors))
        )
    return _lines(catalogue, machines, fallback, alone=True)


def _changed(memory: float, cpu: float, replicas: int, gpu: bool) -> dict[str, Any]:
    """These settings, without those that have their defaults."""
    wanted = {
        "service_replicas_max": replicas,
        "service_cpu_scale": cpu,
        "service_memory_scale": memory,
        "service_gpu": gpu,
    }
    return {name: value for name, value in wanted.items() if value != vars(defaults)[name]}


def _lines(catalogue: Catalogue, machines: Sequence[Machine], chosen: Mapping[str, Any], alone: bool) -> list[Line]:
    report = capacity.check(catalogue, chosen, machines)
    full = asked(catalogue, Scale.of({}))
    apps = sum("app" in machine.groups for machine in machines)
    have = f"{report.available} on {apps} app host{'s' * (apps != 1)}"
    left = "" if not alone else ", but not if one app host fails" if apps > 1 else ""
    here = report.asked
    why = {
        "service_replicas_max": f"of {full.replicas} replicas {here.replicas} are left",
        "service_cpu_scale": f"{here.cpu_millicores / 1000:g} of {full.cpu_millicores / 1000:g} cores requested",
        "service_memory_scale": f"{here.memory_bytes / GIB:.4g} of {full.memory_bytes / GIB:.4g} GiB requested",
        "service_gpu": f"no app host has a GPU; {full.gpus} are asked for",
    }
    lines = [Line(name, value, why[name]) for name, value in chosen.items()]
    if lines:
        lines[0] = lines[0]._replace(why=f"{lines[0].why}; there are {have}{left}")
    return lines


def shares(machines: Sequence[Machine]) -> list[Line]:
    """Shares of memory of stores that are on one host together, or with services."""
    return list(_shares([machine for machine in machines if "postgresql" in machine.groups]))


def _shares(hosts: Sequence[Machine]) -> Iterator[Line]:
    if not hosts:
        return
    smallest = min(hosts, key=lambda machine: machine.memory_bytes)
    for name, share in SHARES.items():
        store = name.partition("_")[0]
        if not any(store in host.groups for host in hosts):
            continue
        if "app" not in smallest.groups:
            yield Line(
                name, share, f"{_gib(share / 100 * smallest.memory_bytes)} of {smallest.name}, which all stores share"
            )
            continue
        kept = defaults.capacity_store_memory_bytes * SPLIT.get(name, 1)
        share = max(1, int(100 * kept / smallest.memory_bytes))
        yield Line(name, share, f"{_gib(kept)} of {smallest.name}: capacity_store_memory_bytes, next to services")


def _gib(size: float) -> str:
    return f"{size / GIB:.3g} GiB"

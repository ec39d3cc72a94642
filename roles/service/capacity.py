"""What an environment's services request, compared with what its hosts have.

Pure functions of the catalogue, settings and figures of hosts; nothing here asks a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nexus.catalogue import defaults
from nexus.catalogue.catalogue import Catalogue
from nexus.catalogue.errors import nearest
from nexus.catalogue.packing import Room, unplaced
from nexus.catalogue.size import GIB, Amount, Scale, asked, size
from roles.service.machine import Machine, machine_of

if TYPE_CHECKING:
    from nexus.environment.environment import Environment

NOTHING = Amount(0, 0, 0, 0)


@dataclass(frozen=True)
class Finding:
    """Something that does not fit (error), or that the operator should know (warning)."""

    severity: Literal["error", "warning"]
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message}"


@dataclass(frozen=True)
class Report:
    """What services request, what app hosts have after the system's share, and what follows from that."""

    asked: Amount
    available: Amount
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that must stop a run."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def of_environment(env: Environment) -> Report:
    """Check an environment whose hosts were asked for their figures, or have them in the inventory.

    An app host without figures gives a warning instead of a check.
    """
    machines, silent = [], []
    for host in env.hosts:
        machine = machine_of(host)
        if machine:
            machines.append(machine)
        elif "app" in host.groups:
            silent.append(host.name)
    if not silent:
        return check(env.catalogue, env.setting, machines)
    scale = Scale.of(env.setting)
    wrong = tuple(_setting_findings(env.catalogue, scale))
    if wrong:
        return Report(NOTHING, NOTHING, wrong)
    text = "its figures are unknown, so nothing was checked; set capacity_cpus and capacity_memory_bytes"
    unknown = tuple(Finding("warning", name, text) for name in silent)
    ports = port_findings(env.catalogue, env.setting, (Machine(h.name, h.groups, 0, 0) for h in env.hosts))
    return Report(asked(env.catalogue, scale), NOTHING, (*unknown, *ports))


def check(catalogue: Catalogue, settings: Mapping[str, Any], machines: Sequence[Machine]) -> Report:
    """Check sizes, capacity, the loss of any one app host, GPUs and ports of an environment.

    `settings` are the environment's, `machines` all of its hosts. Wrong settings of size are reported alone:
    every figure after them would be wrong too.
    """
    known = {**vars(defaults), **settings}
    scale = Scale.of(known)
    wrong = list(_setting_findings(catalogue, scale))
    if wrong:
        return Report(NOTHING, NOTHING, tuple(wrong))
    rooms = _rooms(known, machines, catalogue)
    total = asked(catalogue, scale)
    findings = [
        *_fit_findings(catalogue, scale, rooms),
        *_loss_findings(catalogue, scale, rooms, shared=known["capacity_shared"]),
        *_gpu_findings(catalogue, scale),
        *port_findings(catalogue, settings, machines),
    ]
    return Report(total, _available(rooms), tuple(findings))


def _setting_findings(catalogue: Catalogue, scale: Scale) -> Iterable[Finding]:
    for name, replicas in scale.replicas.items():
        if name not in catalogue.services:
            remedy = nearest(name, catalogue.services)
            yield Finding("error", "service_replicas", f"unknown service {name!r}; {remedy}")
        elif not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 1:
            text = f"{replicas!r} for {name}: set 1 or more, or list {name} in services_excluded"
            yield Finding("error", "service_replicas", text)
    for setting, value, least in (
        ("service_replicas_max", scale.replicas_max, "0 for no limit, or 1 or more"),
        ("service_cpu_scale", scale.cpu_scale, "0 for no CPU requests, or a factor such as 0.5"),
        ("service_memory_min_bytes", scale.memory_min_bytes, "a number of bytes"),
    ):
        if value < 0:
            yield Finding("error", setting, f"{value!r} is below zero; set {least}")
    for setting, factor in (
        ("service_replica_scale", scale.replica_scale),
        ("service_memory_scale", scale.memory_scale),
    ):
        if factor <= 0:
            yield Finding("error", setting, f"{factor!r} leaves nothing; set a factor such as 0.5")


def _rooms(known: Mapping[str, Any], machines: Sequence[Machine], catalogue: Catalogue) -> list[Room]:
    """What each app host has for services; hosts that share one machine count as one room."""
    stores = {store.group for store in catalogue.stores.values()}
    cpus, memory = known["capacity_reserved_cpus"], known["capacity_reserved_memory_bytes"]

    def room(machine: Machine) -> Room:
        kept = memory + known["capacity_store_memory_bytes"] * len(stores & machine.groups)
        millicores = round((machine.cpus - cpus) * 1000)
        return Room(machine.name, max(0, millicores), max(0, machine.memory_bytes - kept), machine.gpu_count)

    apps = [machine for machine in machines if "app" in machine.groups]
    if not known["capacity_shared"] or not apps:
        return [room(machine) for machine in apps]
    used = sum(machine.memory_bytes - room(machine).memory_bytes for machine in machines)
    largest = max(machine.memory_bytes for machine in machines)
    names = ", ".join(machine.name for machine in apps)
    millicores = max(room(machine).cpu_millicores for machine in apps)
    gpus = max(machine.gpu_count for machine in apps)
    return [Room(names, millicores, max(0, largest - used), gpus)]


def _available(rooms: Iterable[Room]) -> Amount:
    rooms = list(rooms)
    return Amount(
        0,
        sum(room.cpu_millicores for room in rooms),
        sum(room.memory_bytes for room in rooms),
        sum(room.gpus for room in rooms),
    )


def _missing(catalogue: Catalogue, scale: Scale, rooms: Sequence[Room]) -> str:
    """What the rooms lack for all services: first in total, then for single replicas; empty when all fit."""
    total, have = asked(catalogue, scale), _available(rooms)
    lacks = []
    if total.cpu_millicores > have.cpu_millicores:
        lacks.append(f"CPU: {total.cpu_millicores / 1000:g} cores requested, {have.cpu_millicores / 1000:g} available")
    if total.memory_bytes > have.memory_bytes:
        lacks.append(f"memory: {total.memory_bytes / GIB:.4g} GiB requested, {have.memory_bytes / GIB:.4g} available")
    if total.gpus > have.gpus:
        lacks.append(f"GPUs: {total.gpus} requested, {have.gpus} available")
    if lacks:
        return "; ".join(lacks)
    sizes = {service.name: size(service, scale) for service in catalogue.services.values()}
    tasks = [
        Room(name, s.cpu_millicores, s.memory_bytes, s.gpus) for name, s in sizes.items() for _ in range(s.replicas)
    ]
    homeless = unplaced(tasks, rooms)
    return f"the totals fit, but no host has room left for a replica of {', '.join(homeless)}" if homeless else ""


def _fit_findings(catalogue: Catalogue, scale: Scale, rooms: Sequence[Room]) -> Iterable[Finding]:
    if not rooms:
        yield Finding("error", "app hosts", "there are none to run services on; add a host to the group app")
        return
    lack = _missing(catalogue, scale, rooms)
    if lack:
        remedy = "lower service_replicas_max, service_cpu_scale or service_memory_scale, or add app hosts"
        if scale.gpu and asked(catalogue, scale).gpus > sum(room.gpus for room in rooms):
            remedy += "; service_gpu = False runs without GPUs"
        yield Finding("error", ", ".join(room.name for room in rooms), f"{lack}; {remedy}; {_most(catalogue, scale)}")


def _most(catalogue: Catalogue, scale: Scale) -> str:
    """The service that requests the most memory, with its place in the catalogue."""
    sizes = {name: size(service, scale) for name, service in catalogue.services.items()}
    name, most = max(sizes.items(), key=lambda one: one[1].replicas * one[1].memory_bytes)
    memory = f"{most.replicas * most.memory_bytes / GIB:.4g} GiB"
    return f"{name} requests the most memory, {memory} ({catalogue.where('services.yaml', 'services', name, 'memory')})"


def _loss_findings(catalogue: Catalogue, scale: Scale, rooms: Sequence[Room], *, shared: bool) -> Iterable[Finding]:
    if shared or not rooms:  # a host's share of a common machine is not lost with it
        return
    if len(rooms) == 1:
        yield Finding("warning", rooms[0].name, "is the only app host: nothing runs without it; add a second")
        return
    if _missing(catalogue, scale, rooms):  # _fit_findings reports it
        return
    for gone in rooms:
        lack = _missing(catalogue, scale, [room for room in rooms if room is not gone])
        if lack:
            yield Finding("warning", f"without {gone.name}", f"{lack}; add an app host or lower the scale")


def _gpu_findings(catalogue: Catalogue, scale: Scale) -> Iterable[Finding]:
    wanting = [service.name for service in catalogue.services.values() if service.gpu]
    if wanting and not scale.gpu:
        yield Finding("warning", ", ".join(wanting), "run without the GPUs that they request (service_gpu = False)")


def port_findings(catalogue: Catalogue, settings: Mapping[str, Any], machines: Iterable[Machine]) -> Iterable[Finding]:
    """Ports that two parts of the platform use on one host. Services publish none, so their ports do not count."""
    for machine in machines:
        taken: dict[int, str] = {}
        for entry in catalogue.operations.ports:
            if not machine.groups & set(entry.groups):
                continue
            port = int(settings.get(f"{entry.name}_port", entry.port))
            if port in taken:
                place = catalogue.where("operations.yaml", "ports", entry.name, "port")
                text = f"{taken[port]} and {entry.name} both use port {port}; set {entry.name}_port ({place})"
                yield Finding("error", machine.name, text)
            taken.setdefault(port, entry.name)

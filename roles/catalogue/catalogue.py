"""The catalogue as roles use it: services in the order of their start, routes, stores and figures.

Loading validates all files as one whole. A part of the platform is a Catalogue too (`without`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

from roles.catalogue import kept
from roles.catalogue.errors import CatalogueError, Problem, nearest
from roles.catalogue.gateway import GatewayFile, Handshake, Route
from roles.catalogue.module import Module, ModulesFile, Targets
from roles.catalogue.operation import OperationsFile, Phase
from roles.catalogue.order import depths
from roles.catalogue.schema import Schema, Schemas
from roles.catalogue.service import Probes, Service, ServicesFile

DIRECTORY = Path(__file__).resolve().parents[2] / "group_data" / "catalogue"


@dataclass(frozen=True)
class Catalogue:
    """Everything that is known of the platform, apart from hosts, settings and secrets."""

    platform: ServicesFile
    applications: ModulesFile
    gateway: GatewayFile
    operations: OperationsFile
    schemas: Schemas

    @cached_property
    def services(self) -> Mapping[str, Service]:
        """All services by name: by phase, within it dependencies first, else as in the file."""
        depth = depths({service.name: service.depends_on for service in self.platform.services})
        ordered = sorted(self.platform.services, key=lambda s: (s.startup_phase, depth[s.name]))
        return MappingProxyType({service.name: service for service in ordered})

    def service(self, name: str) -> Service:
        """The service of that name; KeyError with the nearest known name if there is none."""
        try:
            return self.services[name]
        except KeyError:
            remedy = nearest(name, self.services)
            raise KeyError(f"{name!r} is no service of the catalogue; {remedy}") from None

    def phases(self) -> list[tuple[Phase, list[Service]]]:
        """Start-up phases that have services, in order, each with its services in start order."""
        phases = [
            (phase, [s for s in self.services.values() if s.startup_phase == phase.phase])
            for phase in sorted(self.operations.startup, key=lambda p: p.phase)
        ]
        return [(phase, services) for phase, services in phases if services]

    def dependents(self, name: str) -> list[Service]:
        """Services that directly depend on the one named, in start order."""
        return [service for service in self.services.values() if name in service.depends_on]

    @property
    def routes(self) -> tuple[Route, ...]:
        """Routes of the edge, as in the file."""
        return self.gateway.routes

    def routes_of(self, name: str) -> list[Route]:
        """Routes that lead to the service named."""
        return [route for route in self.routes if route.service == name]

    def timeout_ms(self, name: str) -> int:
        """How long the service named may take to answer."""
        return self.gateway.timeouts_ms.services.get(name, self.gateway.timeouts_ms.default)

    @property
    def handshake(self) -> Handshake:
        """The header that services marked `handshake` insist on."""
        return self.gateway.handshake

    @property
    def modules(self) -> tuple[Module, ...]:
        """Modules, as in the file."""
        return self.applications.modules

    def targets_of(self, module: Module) -> Targets:
        """The module's service level, or the default one."""
        return module.targets or self.applications.default_targets

    @property
    def store_names(self) -> tuple[str, ...]:
        """Stores that services may name."""
        return tuple(self.operations.stores)

    def services_of_store(self, store: str) -> list[Service]:
        """Services that keep something in the store, in start order; KeyError if there is no such store."""
        if store not in self.operations.stores:
            raise KeyError(f"{store!r} is no store of the catalogue; {nearest(store, self.store_names)}")
        return [service for service in self.services.values() if store in service.stores]

    def schema_of(self, service: Service) -> Schema | None:
        """Its first schema, where it names one."""
        return self.schemas.files[service.first_schema] if service.first_schema else None

    def namespace_of(self, service: Service) -> str:
        """Namespace of the service's domain."""
        return next(domain.namespace for domain in self.platform.domains if domain.name == service.domain)

    def probes_of(self, service: Service, *, shipped_code: bool) -> Probes:
        """Paths to ask about its health: of its own code, or of the reference service in its place."""
        if not shipped_code:
            return self.platform.probes.reference
        return (service.source and service.source.probes) or self.platform.probes.source

    def port(self, name: str) -> int:
        """Port of something of the platform that is no service, as `postgresql` or `router`."""
        ports = {entry.name: entry.port for entry in self.operations.ports}
        if name not in ports:
            raise KeyError(f"{name!r} is no port of operations.yaml; {nearest(name, ports)}")
        return ports[name]

    def without(self, names: Collection[str]) -> Catalogue:
        """The catalogue as if the services named had never been in it, their routes included.

        CatalogueError if one of them is unknown, or a service that stays depends on one that goes.
        """
        gone = set(names)
        if not gone:
            return self
        found = list(self._objections(gone))
        if found:
            raise CatalogueError(found)
        return Catalogue(
            _platform_without(self.platform, gone),
            _applications_without(self.applications, gone),
            _gateway_without(self.gateway, gone),
            _operations_without(self.operations, gone),
            self.schemas,
        )

    def _objections(self, gone: set[str]) -> list[Problem]:
        def problem(message: str) -> Problem:
            return Problem("settings", 0, "services_excluded", "", message)

        unknown = [
            problem(f"{name!r} is no service of the catalogue; {nearest(name, self.services)}")
            for name in gone - self.services.keys()
        ]
        needed = [
            problem(f"{need!r} cannot go, {service.name} depends on it; take that out too, or keep both")
            for service in self.services.values()
            if service.name not in gone
            for need in service.depends_on
            if need in gone
        ]
        return unknown + needed


def _platform_without(file: ServicesFile, gone: set[str]) -> ServicesFile:
    return file.but(
        services=tuple(s for s in file.services if s.name not in gone),
        runtime_links=tuple(k for k in file.runtime_links if not gone & {k.source, k.target}),
        events=tuple(
            e.but(consumers=tuple(c for c in e.consumers if c not in gone))
            for e in file.events
            if e.publisher not in gone
        ),
        event_sourcing=tuple(name for name in file.event_sourcing if name not in gone),
        flows={flow: path for flow, path in file.flows.items() if not gone & set(path)},
    )


def _applications_without(file: ModulesFile, gone: set[str]) -> ModulesFile:
    modules = (m.but(services=tuple(s for s in m.services if s not in gone)) for m in file.modules)
    return file.but(modules=tuple(modules))


def _gateway_without(file: GatewayFile, gone: set[str]) -> GatewayFile:
    return file.but(routes=tuple(r for r in file.routes if r.service not in gone))


def _operations_without(file: OperationsFile, gone: set[str]) -> OperationsFile:
    order = tuple(name for name in file.rollback.order if name not in gone)
    sweep = file.health_checks.sweep
    watched = sweep.but(services=tuple(s for s in sweep.services if s not in gone))
    return file.but(
        rollback=file.rollback.but(order=order), health_checks=file.health_checks.but(sweep=watched)
    )


@lru_cache(maxsize=8)
def _load(directory: Path) -> Catalogue:
    own = directory == DIRECTORY  # others are copies, of tests and benchmarks
    inputs = kept.digest(directory) if own else ""
    if inputs and (files := kept.recall(inputs)):
        return Catalogue(*files)
    from roles.catalogue.check import read  # with pydantic: 0.1 s that most runs do without

    found = read(directory)
    if inputs:
        kept.keep(inputs, found)
    return Catalogue(*found)


def load(directory: Path = DIRECTORY) -> Catalogue:
    """The catalogue of a directory, read once in a run; CatalogueError lists everything that is wrong.

    Files that were found sound before, by the same code, are not looked through again.
    """
    return _load(directory.resolve())

"""The catalogue as roles use it: services in start order, routes, stores and figures.

Loading validates all files as one whole. A part of the platform is a Catalogue too (`without`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from nexus import project
from nexus.catalogue import check
from nexus.catalogue.errors import CatalogueError, Problem, nearest
from nexus.catalogue.first_schema import Schema
from nexus.catalogue.gateway import GatewayFile, Handshake, Route
from nexus.catalogue.module import Module, ModulesFile
from nexus.catalogue.operation import OperationsFile, Phase, Store
from nexus.catalogue.order import depths
from nexus.catalogue.service import Probes, Service, ServicesFile
from nexus.catalogue.types import Entry
from nexus.catalogue.yaml_file import YamlFile

E = TypeVar("E", bound=Entry)
DIRECTORY = project.root() / "group_data" / "catalogue"


@dataclass(frozen=True)
class Catalogue:
    """Everything that is known of the platform, apart from hosts, settings and secrets."""

    platform: ServicesFile
    applications: ModulesFile
    gateway: GatewayFile
    operations: OperationsFile
    schemas: Mapping[str, Schema]  # by their files
    directory: Path = DIRECTORY

    @cached_property
    def services(self) -> Mapping[str, Service]:
        """All services by name: by phase, within a phase dependencies first, otherwise as in the file."""
        depth = depths({service.name: service.depends_on for service in self.platform.services})
        ordered = sorted(self.platform.services, key=lambda s: (s.startup_phase, depth[s.name]))
        return MappingProxyType({service.name: service for service in ordered})

    def service(self, name: str) -> Service:
        """The service of that name; KeyError with the nearest known name if there is none."""
        if name not in self.services:
            raise KeyError(f"{name!r} is not a service in the catalogue; {nearest(name, self.services)}")
        return self.services[name]

    def phases(self) -> list[tuple[Phase, list[Service]]]:
        """Start-up phases that have services, in order, each with its services in start order."""
        phases = [
            (phase, [s for s in self.services.values() if s.startup_phase == phase.phase])
            for phase in sorted(self.operations.startup, key=lambda p: p.phase)
        ]
        return [(phase, services) for phase, services in phases if services]

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
        """The header that services marked `handshake` require."""
        return self.gateway.handshake

    @property
    def modules(self) -> tuple[Module, ...]:
        """Modules, as in the file."""
        return self.applications.modules

    @property
    def stores(self) -> Mapping[str, Store]:
        """Stores by the names that services use."""
        return self.operations.stores.by_name

    def services_of_store(self, store: str) -> list[Service]:
        """Services that keep something in the store, in start order; KeyError if the store is unknown."""
        if store not in self.stores:
            raise KeyError(f"{store!r} is not a store in the catalogue; {nearest(store, self.stores)}")
        return [service for service in self.services.values() if store in service.stores]

    def schema_of(self, service: Service) -> Schema | None:
        """The service's first schema, if it names one."""
        return self.schemas[service.first_schema] if service.first_schema else None

    def probes_of(self, service: Service, *, shipped_code: bool) -> Probes:
        """Paths that report a service's health: those of its own code, or of the reference service in its place."""
        if not shipped_code:
            return self.platform.probes.reference
        return (service.source and service.source.probes) or self.platform.probes.source

    def where(self, file: str, *location: str) -> str:
        """File, line and field of something in it, for messages: where("gateway.yaml", "rate_limits", "windows")."""
        return YamlFile(self.directory / file).place(*location)

    def without(self, names: Collection[str]) -> Catalogue:
        """The catalogue as if the services named had never been in it, their routes included.

        CatalogueError if one of them is unknown, or a remaining service depends on one of them.
        """
        gone = set(names)
        if not gone:
            return self
        unknown = [
            f"{name!r} is not a service in the catalogue; {nearest(name, self.services)}"
            for name in gone - self.services.keys()
        ]
        needed = [
            f"{need!r} cannot be excluded: {service.name} depends on it; exclude that too, or keep both"
            for service in self.services.values()
            if service.name not in gone
            for need in service.depends_on
            if need in gone
        ]
        if found := unknown + needed:
            raise CatalogueError(Problem("settings", 0, "services_excluded", "", message) for message in found)
        modules = tuple(_less(module, "services", gone) for module in self.modules)
        routes = tuple(route for route in self.routes if route.service not in gone)
        return replace(
            self,
            platform=_platform_without(self.platform, gone),
            applications=self.applications.model_copy(update={"modules": modules}),
            gateway=self.gateway.model_copy(update={"routes": routes}),
            operations=_operations_without(self.operations, gone),
        )


def _platform_without(file: ServicesFile, gone: set[str]) -> ServicesFile:
    events = [event for event in file.events if event.publisher not in gone]
    return file.model_copy(
        update={
            "services": tuple(service for service in file.services if service.name not in gone),
            "runtime_links": tuple(link for link in file.runtime_links if not gone & {link.source, link.target}),
            "events": tuple(_less(event, "consumers", gone) for event in events),
            "event_sourcing": tuple(name for name in file.event_sourcing if name not in gone),
            "flows": {flow: path for flow, path in file.flows.items() if not gone & set(path)},
        }
    )


def _operations_without(file: OperationsFile, gone: set[str]) -> OperationsFile:
    checks = file.health_checks.model_copy(update={"sweep": _less(file.health_checks.sweep, "services", gone)})
    return file.model_copy(update={"rollback": _less(file.rollback, "order", gone), "health_checks": checks})


def _less(entry: E, field: str, gone: set[str]) -> E:
    """The entry without these names in a field."""
    return entry.model_copy(update={field: tuple(name for name in getattr(entry, field) if name not in gone)})


@lru_cache(maxsize=8)
def load(directory: Path = DIRECTORY) -> Catalogue:
    """The catalogue in a directory, read once per run; CatalogueError lists everything that is wrong."""
    return Catalogue(*check.read(directory), directory)

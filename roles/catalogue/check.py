"""What no single entry can know: names that must be unique, and names that must exist elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from roles.catalogue import first_schema, functional
from roles.catalogue.document import Document, Location
from roles.catalogue.errors import CatalogueError, Problem, nearest
from roles.catalogue.gateway import GatewayFile
from roles.catalogue.kept import Files
from roles.catalogue.module import ModulesFile
from roles.catalogue.operation import OperationsFile
from roles.catalogue.order import cycles
from roles.catalogue.service import Service, ServicesFile

T = TypeVar("T")


@dataclass(frozen=True)
class Documents:
    """The four files of a catalogue; a file without a model is wrong itself and is passed over here."""

    services: Document[ServicesFile]
    modules: Document[ModulesFile]
    gateway: Document[GatewayFile]
    operations: Document[OperationsFile]


def read(directory: Path) -> Files:
    """The files of a catalogue, each as an entry; CatalogueError lists everything that is wrong with them."""
    docs = Documents(
        Document(directory / "services.yaml", ServicesFile),
        Document(directory / "modules.yaml", ModulesFile),
        Document(directory / "gateway.yaml", GatewayFile),
        Document(directory / "operations.yaml", OperationsFile),
    )
    documents = (docs.services, docs.modules, docs.gateway, docs.operations)
    found = [problem for document in documents for problem in document.problems]
    found += problems(docs)
    schemas, wrong = first_schema.read(docs.services, directory)
    found += wrong
    platform, modules = docs.services.model, docs.modules.model
    gateway, operations = docs.gateway.model, docs.operations.model
    if found or not (platform and modules and gateway and operations):
        raise CatalogueError(found)
    return platform, modules, gateway, operations, schemas


def problems(docs: Documents) -> Iterator[Problem]:
    """All problems between entries and between files."""
    if docs.services.model:
        yield from _services(docs.services, docs.services.model)
    yield from _stores_and_phases(docs)
    yield from _routes(docs)
    if docs.services.model and docs.gateway.model:
        yield from functional.problems(docs.services, docs.services.model.services, docs.gateway.model.routes)
    yield from _modules(docs)
    yield from _operations(docs)


def _services(doc: Document[ServicesFile], file: ServicesFile) -> Iterator[Problem]:
    services, names = file.services, doc.raw_names("services")
    categories, domains = doc.raw_names("categories"), doc.raw_names("domains")
    yield from _unique(doc, "services", "name", services, lambda s: s.name)
    yield from _unique(doc, "services", "port", services, lambda s: s.port)
    yield from _unique(doc, "categories", "name", file.categories, lambda c: c.name)
    yield from _unique(doc, "domains", "name", file.domains, lambda d: d.name)
    yield from _unique(doc, "events", "name", file.events, lambda e: e.name)
    for i, service in enumerate(services):
        yield from _known(doc, ("services", i, "depends_on"), service.depends_on, names, "service")
        yield from _known(doc, ("services", i, "category"), [service.category], categories, "category")
        yield from _known(doc, ("services", i, "domain"), [service.domain], domains, "domain")
        yield from _repeated(doc, ("services", i, "depends_on"), service.depends_on)
        yield from _repeated(doc, ("services", i, "stores"), service.stores)
    yield from _dependencies(doc, services)
    yield from _counts(doc, file)
    yield from _key_prefixes(doc, services)
    for i, link in enumerate(file.runtime_links):
        yield from _known(doc, ("runtime_links", i, "from"), [link.source], names, "service")
        yield from _known(doc, ("runtime_links", i, "to"), [link.target], names, "service")
    yield from _events(doc, file, names)
    yield from _known(doc, ("event_sourcing",), file.event_sourcing, names, "service")
    for flow, path in file.flows.items():
        yield from _known(doc, ("flows", flow), path, names, "service")


def _dependencies(doc: Document[ServicesFile], services: tuple[Service, ...]) -> Iterator[Problem]:
    by_name = {service.name: (i, service) for i, service in enumerate(services)}
    graph = {name: [n for n in s.depends_on if n in by_name] for name, (_, s) in by_name.items()}
    for ring in cycles(graph):
        place: Location = ("services", by_name[ring[0]][0], "depends_on")
        path = " -> ".join(ring)
        yield doc.problem(place, f"cycle {path}; move the call that start-up can do without to runtime_links")
    for name, needs in graph.items():
        i, service = by_name[name]
        for need in needs:
            phase = by_name[need][1].startup_phase
            if phase > service.startup_phase:
                yield doc.problem(
                    ("services", i, "startup_phase"),
                    f"{service.startup_phase} is before phase {phase} of {need}, which it depends on; "
                    f"use {phase} or more here, or {service.startup_phase} or less there",
                )


def _counts(doc: Document[ServicesFile], file: ServicesFile) -> Iterator[Problem]:
    counted = {
        "categories": Counter(service.category for service in file.services),
        "domains": Counter(service.domain for service in file.services),
    }
    for section, groups in (("categories", file.categories), ("domains", file.domains)):
        for i, group in enumerate(groups):
            count = counted[section][group.name]
            if group.services is not None and group.services != count:
                yield doc.problem(
                    (section, i, "services"),
                    f"{group.services} services are stated and {count} found; put one of the two right",
                )


def _key_prefixes(doc: Document[ServicesFile], services: tuple[Service, ...]) -> Iterator[Problem]:
    taken = [(prefix, s.name) for s in services if "redis" in s.stores for prefix in s.key_prefixes]
    for i, service in enumerate(services):
        instance: Location = ("services", i, "redis_instance")
        if doc.states(instance) and "redis" not in service.stores:
            yield doc.problem(instance, "redis is not among its stores; add it, or drop this")
        place: Location = ("services", i, "redis_key_prefixes")
        if service.redis_key_prefixes and "redis" not in service.stores:
            yield doc.problem(place, "redis is not among its stores; add it, or drop the prefixes")
            continue
        for prefix in service.redis_key_prefixes:
            for other, owner in taken:
                if owner != service.name and (other.startswith(prefix) or prefix.startswith(other)):
                    yield doc.problem(
                        place, f"{prefix!r} overlaps {other!r} of {owner}; choose another prefix"
                    )


def _events(doc: Document[ServicesFile], file: ServicesFile, names: Set[str]) -> Iterator[Problem]:
    stores = {service.name: service.stores for service in file.services}
    for i, event in enumerate(file.events):
        for field, users in (("publisher", (event.publisher,)), ("consumers", event.consumers)):
            yield from _known(doc, ("events", i, field), users, names, "service")
            for user in users:
                if "rabbitmq" not in stores.get(user, ("rabbitmq",)):
                    yield doc.problem(
                        ("events", i, field), f"{user!r} lacks rabbitmq in its stores; add it there"
                    )


def _stores_and_phases(docs: Documents) -> Iterator[Problem]:
    if not (docs.services.model and docs.operations.model):
        return
    stores = docs.operations.model.stores
    phases = {phase.phase for phase in docs.operations.model.startup}
    for i, service in enumerate(docs.services.model.services):
        yield from _known(docs.services, ("services", i, "stores"), service.stores, stores.keys(), "store")
        if service.startup_phase not in phases:
            yield docs.services.problem(
                ("services", i, "startup_phase"),
                f"{service.startup_phase} is no phase of operations.yaml; known are: {_list(phases)}",
            )


def _routes(docs: Documents) -> Iterator[Problem]:
    doc, file = docs.gateway, docs.gateway.model
    if not file:
        return
    yield from _unique(doc, "routes", "path", file.routes, lambda r: r.path)
    for i, route in enumerate(file.routes):
        if route.upstream_path and route.upstream_path.endswith("/") != route.is_prefix:
            wanted = "with" if route.is_prefix else "without"
            yield doc.problem(
                ("routes", i, "upstream_path"),
                f"{route.upstream_path!r} does not fit {route.path!r}; end it {wanted} a slash, as the path",
            )
    if docs.services.model:
        names = docs.services.raw_names("services")
        for i, route in enumerate(file.routes):
            yield from _known(doc, ("routes", i, "service"), [route.service], names, "service")
        yield from _known(doc, ("api_gateway", "service"), [file.api_gateway.service], names, "service")
        for name in file.timeouts_ms.services:
            yield from _known(doc, ("timeouts_ms", "services", name), [name], names, "service")


def _modules(docs: Documents) -> Iterator[Problem]:
    doc, file = docs.modules, docs.modules.model
    if not file:
        return
    yield from _unique(doc, "modules", "slug", file.modules, lambda m: m.slug)
    if docs.services.model:
        for i, module in enumerate(file.modules):
            known = docs.services.raw_names("services")
            yield from _known(doc, ("modules", i, "services"), module.services, known, "service")


def _operations(docs: Documents) -> Iterator[Problem]:
    doc, file = docs.operations, docs.operations.model
    if not file:
        return
    yield from _unique(doc, "ports", "name", file.ports, lambda p: p.name)
    yield from _unique(doc, "startup", "phase", file.startup, lambda p: p.phase)
    sweep = file.health_checks.sweep
    yield from _known(doc, ("health_checks", "sweep", "stores"), sweep.stores, file.stores.keys(), "store")
    if docs.services.model:
        for place, users in (
            (("health_checks", "sweep", "services"), sweep.services),
            (("rollback", "order"), file.rollback.order),
            (("scaling", "services"), tuple(file.scaling.services)),
            (("scaling", "limits"), tuple(file.scaling.limits)),
        ):
            yield from _known(doc, place, users, docs.services.raw_names("services"), "service")


def _unique(
    doc: Document[Any], section: str, field: str, entries: Iterable[T], key: Callable[[T], Hashable]
) -> Iterator[Problem]:
    first: dict[Hashable, int] = {}
    for i, entry in enumerate(entries):
        value = key(entry)
        if value in first:
            line = doc.problem((section, first[value], field), "").line
            yield doc.problem((section, i, field), f"{value!r} is taken, in line {line}; choose another")
        first.setdefault(value, i)


def _known(
    doc: Document[Any], place: Location, names: Iterable[str], known: Set[str], kind: str
) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield doc.problem(place, f"{name!r} is no {kind} of the catalogue; {nearest(name, known)}")


def _repeated(doc: Document[Any], place: Location, names: tuple[str, ...]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield doc.problem(place, f"{name!r} stands here {count} times; once is enough")


def _list(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in sorted(values, key=str))

"""Checks between entries of the catalogue: whether services, events, routes and checks fit together."""

from collections import Counter
from collections.abc import Iterator

from nexus.catalogue.document import Document
from nexus.catalogue.errors import Problem
from nexus.catalogue.functional import FunctionalRequest
from nexus.catalogue.gateway import GatewayFile, Route
from nexus.catalogue.order import cycles
from nexus.catalogue.service import Service, ServicesFile

AUTH_PATH = "/.edge/auth"  # the edge asks this path whether a request may pass


def problems(services: Document[ServicesFile], gateway: Document[GatewayFile]) -> Iterator[Problem]:
    """Problems between entries. Skips a file without a model: its own problems are already reported."""
    if services.model:
        file = services.model
        yield from _start_order(services, file.services)
        yield from _counts(services, file)
        yield from _key_prefixes(services, file.services)
        yield from _events(services, file)
    if gateway.model:
        yield from _locations(gateway, gateway.model)
    if services.model and gateway.model:
        yield from _requests(services, services.model.services, gateway.model.routes)


def _start_order(doc: Document[ServicesFile], services: tuple[Service, ...]) -> Iterator[Problem]:
    places = {service.name: number for number, service in enumerate(services)}
    phases = {service.name: service.startup_phase for service in services}
    for ring in cycles({service.name: service.depends_on for service in services}):
        message = f"cycle {' -> '.join(ring)}; move a call that start-up does not need to runtime_links"
        yield doc.problem(("services", places[ring[0]], "depends_on"), message)
    for number, service in enumerate(services):
        for need in service.depends_on:
            if phases[need] > service.startup_phase:
                yield doc.problem(
                    ("services", number, "startup_phase"),
                    f"{service.startup_phase} is before phase {phases[need]} of {need}, which it depends on; "
                    f"use {phases[need]} or more here, or {service.startup_phase} or less there",
                )


def _counts(doc: Document[ServicesFile], file: ServicesFile) -> Iterator[Problem]:
    categories = Counter(service.category for service in file.services)
    domains = Counter(service.domain for service in file.services)
    for section, groups, counted in (("categories", file.categories, categories), ("domains", file.domains, domains)):
        for number, group in enumerate(groups):
            count = counted[group.name]
            if group.services is not None and group.services != count:
                message = f"{group.services} services are stated, but {count} were found; correct one of the two"
                yield doc.problem((section, number, "services"), message)


def _key_prefixes(doc: Document[ServicesFile], services: tuple[Service, ...]) -> Iterator[Problem]:
    taken = [(prefix, s.name) for s in services if "redis" in s.stores for prefix in s.key_prefixes]
    for number, service in enumerate(services):
        for prefix in service.redis_key_prefixes:
            for other, owner in taken:
                if owner != service.name and (other.startswith(prefix) or prefix.startswith(other)):
                    message = f"{prefix!r} overlaps {other!r} of {owner}; choose another prefix"
                    yield doc.problem(("services", number, "redis_key_prefixes"), message)


def _events(doc: Document[ServicesFile], file: ServicesFile) -> Iterator[Problem]:
    able = {service.name for service in file.services if "rabbitmq" in service.stores}
    for number, event in enumerate(file.events):
        for field, users in (("publisher", (event.publisher,)), ("consumers", event.consumers)):
            for user in users:
                if user not in able:
                    message = f"{user!r} lacks rabbitmq in its stores; add it there"
                    yield doc.problem(("events", number, field), message)


def _locations(doc: Document[GatewayFile], file: GatewayFile) -> Iterator[Problem]:
    """The edge has one location for each path: Nginx on the host refuses a duplicate."""
    health = (False, file.edge.health_path)
    taken = {(True, "/"): "the edge", (False, AUTH_PATH): "the edge", health: "edge.health_path"}
    for number, route in enumerate(file.routes):
        paths = [(True, route.path), (False, route.path[:-1])] if route.is_prefix else [(False, route.path)]
        for path in paths:
            if (other := taken.setdefault(path, route.path)) != route.path:
                message = f"{route.path!r} is already a path of {other}; choose another"
                yield doc.problem(("routes", number, "path"), message)
    for number, special in enumerate(file.special_paths):
        path = (True, special.path)
        if path in taken:
            message = f"{special.path!r} is already a path of {taken[path]}; choose another"
            yield doc.problem(("special_paths", number, "path"), message)
        taken[path] = special.path


def _requests(
    doc: Document[ServicesFile], services: tuple[Service, ...], routes: tuple[Route, ...]
) -> Iterator[Problem]:
    """Requests of functional checks that the edge would refuse."""
    for i, service in enumerate(services):
        own = [route for route in routes if route.service == service.name]
        for j, check in enumerate(service.functional):
            for k, request in enumerate(check.requests if check.at == "edge" else ()):
                if not any(_takes(route, request) for route in own):
                    yield doc.problem(
                        ("services", i, "functional", j, "requests", k, "path"),
                        f"no route of this service accepts {request.method} {request.path}; correct it, add the route "
                        "to gateway.yaml, or send the request to the router (at: router)",
                    )


def _takes(route: Route, request: FunctionalRequest) -> bool:
    path = request.path.partition("?")[0]
    below = route.is_prefix and (path.startswith(route.path) or path == route.path[:-1])
    return (below or path == route.path) and (not route.methods or request.method in route.methods)

"""Functional checks of a service: requests, in order, that prove that it does its work and not only that it answers.

They are written for the shipped code; the reference service proves its stores by its readiness. In paths and bodies
`{mark}` stands for a text that is new in each run and begins with "nexus-cos-check", and `{name}` for what an earlier
answer of the same check gave (`keep`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from roles.catalogue.entry import Entry
from roles.catalogue.gateway import Method, Route

if TYPE_CHECKING:
    from roles.catalogue.document import Document
    from roles.catalogue.errors import Problem
    from roles.catalogue.kind import Filled, Json, Path, Status, Text
    from roles.catalogue.service import Service

MARK = "mark"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
NOTHING: dict[str, Any] = {}


class FunctionalRequest(Entry):
    """One request and what must come back.

    `expect` maps fields of the answer, a dotted path such as decoded.userId or 0.id, to their values; `keep` maps
    names to fields that later requests use.
    """

    method: Method
    path: Path
    status: Status
    body: dict[str, Json] | None = None
    expect: dict[str, Json] = NOTHING
    keep: dict[str, Text] = NOTHING


class FunctionalCheck(Entry):
    """Requests in order. One that `writes` leaves something behind, marked as ours, or changes state.

    `at` is where requests go in: the edge, or the router for a service without a route. `known_failure` says why
    the shipped code cannot pass: it is told each time and fails nothing.
    """

    name: Text
    writes: bool = False
    at: Literal["edge", "router"] = "edge"
    requests: Filled[FunctionalRequest]
    known_failure: Text | None = None


def problems(doc: Document[Any], services: Iterable[Service], routes: Iterable[Route]) -> Iterator[Problem]:
    """What is wrong with the checks of all services, which have these routes at the edge."""
    routes = list(routes)
    for i, service in enumerate(services):
        place: tuple[int | str, ...] = ("services", i, "functional")
        if service.functional and not service.source:
            yield doc.problem(place, "checks are for shipped code; add source, or drop them")
        own = [route for route in routes if route.service == service.name]
        names = set[str]()
        for number, check in enumerate(service.functional):
            if check.name in names:
                message = f"{check.name!r} is taken by another check of this service; choose another"
                yield doc.problem((*place, number, "name"), message)
            names.add(check.name)
            for request, message in _objections(check, own):
                yield doc.problem((*place, number, "requests", request, "path"), message)


def _objections(check: FunctionalCheck, routes: Iterable[Route]) -> Iterator[tuple[int, str]]:
    """Requests that cannot be sent, by their place in the check, with the reason."""
    kept = {MARK}
    for place, request in enumerate(check.requests):
        used = set(PLACEHOLDER.findall(request.path)) | _used(request.body) | _used(request.expect)
        if unknown := sorted(used - kept):
            known = ", ".join(f"{{{name}}}" for name in sorted(kept))
            yield place, f"{{{unknown[0]}}} is not known before this request; known are {known}"
        kept |= set(request.keep)
        if check.at == "edge" and not any(_takes(route, request) for route in routes):
            yield (
                place,
                f"no route of this service takes {request.method} {request.path}; correct it, add the route to "
                "gateway.yaml, or ask the router: at: router",
            )


def _takes(route: Route, request: FunctionalRequest) -> bool:
    path = request.path.partition("?")[0]
    below = route.is_prefix and (path.startswith(route.path) or path == route.path[:-1])
    return (below or path == route.path) and (not route.methods or request.method in route.methods)


def _used(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(PLACEHOLDER.findall(value))
    if isinstance(value, dict):
        value = tuple(value.values())
    return {name for part in value for name in _used(part)} if isinstance(value, tuple) else set()

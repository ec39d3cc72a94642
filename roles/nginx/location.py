"""The locations of the edge, made from the routes of the catalogue: what Nginx must know of each."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from nexus.catalogue.gateway import Route
from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from nexus.error import OperatorError
from roles.router.backend import timeout_ms
from roles.router.window import windows

# Nginx waits this much longer than the router, so that the router, which knows the service, answers 504: it may try
# a connection several times before the time of the answer begins.
ROUTER_MARGIN_MS = 5000


@dataclass(frozen=True)
class Location:
    """One `location` of Nginx."""

    match: str  # what follows the word location
    service: str
    methods: tuple[str, ...]  # allowed methods; empty: all
    rewrite: tuple[str, str] | None  # pattern and replacement, where the service has another path
    authenticated: bool
    issuer: bool  # gives a token to anyone who asks
    open_methods: tuple[str, ...]  # methods that need no authentication even so
    handshake: bool
    body_bytes: int
    timeout_ms: int
    windows: tuple[str, ...]
    closed: bool  # for maintenance


def locations(env: Environment, setting: Settings) -> tuple[Location, ...]:
    """All locations, in the catalogue's order, with the settings of their host.

    A prefix becomes two locations: the paths below it, and the path alone. Each path that issues tokens is one more.
    """
    return tuple(location for route in env.catalogue.routes for location in _of_route(env, setting, route))


def _of_route(env: Environment, setting: Settings, route: Route) -> Iterator[Location]:
    if not route.is_prefix:
        yield _location(env, setting, route, f"= {route.path}", route.path, route.target)
        return
    # Nginx would redirect the path without its slash to the one with it, and a POST would arrive as GET
    yield _location(env, setting, route, f"= {route.path[:-1]}", route.path[:-1], route.target[:-1] or "/")
    below = _location(env, setting, route, route.path, route.path, route.target)
    yield below
    if setting.nginx_auth_request:
        issuers = [path for path in setting.nginx_auth_issuers if path.startswith(route.path)]
        # as services compare paths: Express ignores case and a slash at the end
        yield from (replace(below, match=f'~* "^{re.escape(path)}/*$"', issuer=True) for path in issuers)


def _location(env: Environment, setting: Settings, route: Route, match: str, path: str, target: str) -> Location:
    rewrite = None
    if target != path:
        below = match == path
        rewrite = (f"^{re.escape(path)}{'(.*)' if below else ''}$", target + ("$1" if below else ""))
    methods: set[str] = set(route.methods)
    if methods:
        methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    is_open = setting.nginx_auth_open_methods.get(route.service, ()) if route.auth == "partial" else ()
    return Location(
        match=match,
        service=route.service,
        methods=tuple(sorted(methods)),
        rewrite=rewrite,
        authenticated=route.auth != "none",
        issuer=False,
        open_methods=tuple(sorted(is_open)),
        handshake=env.catalogue.service(route.service).handshake,
        body_bytes=_body_bytes(env, setting, route.service),
        timeout_ms=timeout_ms(env, route.service) + ROUTER_MARGIN_MS,
        windows=tuple(window.name for window in windows(env) if window.covers(route.path)),
        closed=route.service in closed_services(env, env.setting.nginx_maintenance),
    )


def closed_services(env: Environment, names: Collection[str]) -> list[str]:
    """Services that are closed when these modules and services are closed for maintenance.

    A service that other modules need too stays open until all of them are closed.
    """
    modules = [module for module in env.catalogue.modules if module.slug not in names]
    open_still = {service for module in modules for service in module.services}
    theirs = {service for module in env.catalogue.modules if module.slug in names for service in module.services}
    return [name for name in env.catalogue.services if name in names or (name in theirs and name not in open_still)]


def tuning(env: Environment, setting: Settings) -> dict[str, Any]:
    """Settings of Nginx by its own names: those of operations.yaml, overridden by `nginx_tuning`."""
    return {**env.catalogue.operations.tuning.nginx.settings, **setting.nginx_tuning}


def _body_bytes(env: Environment, setting: Settings, service: str) -> int:
    if service not in setting.nginx_upload_services:
        return env.catalogue.gateway.api_gateway.body_limit_bytes
    given = str(tuning(env, setting)["client_max_body_size"])
    size = re.fullmatch(r"(\d+)([kmg]?)", given)
    if not size:
        raise OperatorError(
            f'client_max_body_size is "{given}" (nginx_tuning, or tuning.nginx of operations.yaml): '
            "set a size such as 50m"
        )
    return int(size[1]) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[size[2]]

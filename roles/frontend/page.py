"""What pages learn of their environment: config.json next to a build, the pages of closed modules, operators' links."""

from collections.abc import Collection
from html import escape
from typing import Any

from nexus.catalogue.gateway import Route
from nexus.catalogue.service import Service
from nexus.environment.environment import Environment
from roles.frontend.site import PORTAL, FrontEndSite
from roles.router.window import windows

ASKED_METHOD = "OPTIONS"
MESSAGE = "This part of the platform is being worked on. Please come back in a few minutes."


def config(env: Environment, site: FrontEndSite, with_pages: Collection[str]) -> dict[str, Any]:
    """config.json of a front end. `with_pages` are the front ends that have a release."""
    if site.slug == PORTAL:
        return {"environment": env.name, "modules": _modules(env, with_pages)}
    module = next((module for module in env.catalogue.modules if module.slug == site.slug), None)
    services = [env.catalogue.service(name) for name in module.services] if module else []
    return {
        "environment": env.name,
        "title": site.title,
        "purpose": site.purpose,
        "login": _login(env) if env.setting.nginx_auth_request else None,
        "services": [_service(env, each) for each in services],
    }


def _service(env: Environment, service: Service) -> dict[str, Any]:
    """What a page shows of a service. `login`: a gateway that wants logins wants one at the path."""
    route = asked_route(env, service.name)
    return {
        "name": service.name,
        "purpose": service.purpose,
        "path": route.path if route else None,
        "login": route is not None and not _is_open(env, route),
    }


def asked_route(env: Environment, service: str) -> Route | None:
    """A route of the gateway to the service that counts for none of its long limits; None if there is none."""
    routes = env.catalogue.routes_of(service)
    free = [route for route in routes if not any(window.covers(route.path) for window in windows(env))]
    return free[0] if free else None


def _is_open(env: Environment, route: Route) -> bool:
    """Whether the pages' requests to it need no login anywhere."""
    open_methods = env.setting.nginx_auth_open_methods.get(route.service, ()) if route.auth == "partial" else ()
    return route.auth == "none" or ASKED_METHOD in open_methods


def _login(env: Environment) -> str | None:
    """The path that takes logins: the one with the limit on them."""
    scopes = [window.scope for window in windows(env) if window.name == "login"]
    return scopes[0] if scopes else None


def _modules(env: Environment, with_pages: Collection[str]) -> list[dict[str, str]]:
    found = []
    for module in env.catalogue.modules:
        closed = module.slug in env.setting.nginx_maintenance
        state = "closed" if closed else "open" if module.slug in with_pages else "without pages"
        about = {"slug": module.slug, "title": module.title, "purpose": module.purpose}
        found.append({**about, "state": state, "message": message(env, module.slug) if closed else ""})
    return found


def message(env: Environment, slug: str) -> str:
    """What visitors of a closed module read: what the operator gave, or a general text."""
    return str(env.kept.get(f"maintenance {slug}", {}).get("message") or MESSAGE)


def closed_page(env: Environment, title: str, text: str) -> str:
    """The page in place of a closed module."""
    home = f"https://{env.setting.domain}/"
    return env.render("frontend/closed.html.j2", title=escape(title), text=escape(text), home=home)


def operator_links(env: Environment) -> list[dict[str, str]]:
    """Where operators find more. Daemons of ops hosts listen on loopback: a browser reaches them by `ssh -L`."""
    ops = env.group("ops")
    links = [
        {"title": "Status", "text": "pyinfra inventory deploys/status.py"},
        {"title": "Logs", "text": "pyinfra inventory deploys/logs.py --data service=NAME"},
        {"title": "Plots", "text": "make report"},
        {"title": "Documents", "text": "docs/operations.md"},
    ]
    for title, port in (("Metrics", "prometheus_port"), ("Dashboards", "grafana_port")):
        if ops and (port != "grafana_port" or env.setting.grafana_enabled):
            number = env.setting[port]
            forward = f"ssh -L {number}:127.0.0.1:{number} {ops[0].address}, then http://127.0.0.1:{number}/"
            links.append({"title": title, "text": forward})
    return links

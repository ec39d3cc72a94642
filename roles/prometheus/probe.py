"""Requests to the edge as a client makes them, from every ops host: its name, its certificate, and routes behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.plan.desired import File
from nexus.run.exporter import Exporter
from roles.certificate.plan import CA, shows_own

PORT = 9115
CONFIG = "/etc/prometheus/probe.yml"
ROUTES = 3  # of the services that start first: most others depend on them
# What a service answers to a stranger. What Nginx and the router answer in its place is 429 or 5xx.
ANSWERS = (200, 204, 301, 302, 400, 401, 403, 404, 405)
STATUS = {"health": (200,), "route": ANSWERS}


def probes(env: Environment) -> Iterator[Exporter]:
    """Blackbox exporter, which asks each edge host; nothing without one."""
    queries = {name: query for edge in env.group("edge") for name, query in _queries(env, edge).items()}
    if queries:
        arguments = (f"--web.listen-address=127.0.0.1:{PORT}", f"--config.file={CONFIG}")
        modules = {f"{kind}-{of}": _module(kind, of) for kind in STATUS for of in ("platform", "public")}
        config = File(CONFIG, generated({"modules": modules}))
        yield Exporter(
            "probe",
            PORT,
            path="/probe",
            package="prometheus-blackbox-exporter",
            arguments=arguments,
            files=(config,),
            queries=queries,
        )


def _queries(env: Environment, edge: Host) -> dict[str, Mapping[str, str]]:
    """{edge host and URL: query} of the edge's own path under both names, and of a few routes."""
    setting = edge.setting
    asked = [
        ("health", name, env.catalogue.gateway.edge.health_path) for name in (setting.domain, _api(setting.domain))
    ]
    asked += [("route", _api(setting.domain), path) for path in _routes(env)]
    of = "platform" if shows_own(edge) else "public"
    return {
        f"{edge.name} {name}{path}": {
            "module": f"{kind}-{of}",
            "target": f"https://{edge.address}:{setting.nginx_https_port}{path}",
            "hostname": name,
        }
        for kind, name, path in asked
    }


def _api(domain: str) -> str:
    return f"api.{domain}"


def _routes(env: Environment) -> list[str]:
    catalogue = env.catalogue
    readable = [route for route in catalogue.routes if not route.methods or "GET" in route.methods]
    readable.sort(key=lambda route: catalogue.service(route.service).startup_phase)
    return [route.path for route in readable[:ROUTES]]


def _module(kind: str, of: str) -> dict[str, Any]:
    """A certificate of the platform must be of its own authority, any other one of an authority that Debian trusts."""
    http: dict[str, Any] = {
        "fail_if_not_ssl": True,
        "follow_redirects": False,
        "preferred_ip_protocol": "ip4",
        "valid_status_codes": list(STATUS[kind]),
    }
    if of == "platform":
        http["tls_config"] = {"ca_file": CA}
    return {"prober": "http", "timeout": "5s", "http": http}

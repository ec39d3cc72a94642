"""Health of the platform as the edge sees it: every service answers ready at the router."""

from __future__ import annotations

from pathlib import Path

from roles.image.checkout import checkout
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, State

REMOTE = Path(__file__).with_name("remote.py")


def probes(env: Environment) -> dict[str, str]:
    """Path to ask for readiness, by service: that of its own code, or of what stands in for it."""
    code = checkout(env)
    return {
        name: env.catalogue.probes_of(service, shipped_code=bool(code and code.has(service))).readiness
        for name, service in env.catalogue.services.items()
    }


def plan(env: Environment, host: Host) -> Desired:
    """Nothing to lay down; one question, asked on the first edge host and answered with every probe."""
    if host.name != env.group("edge")[0].name:
        return Desired()
    context = {"port": int(env.setting.router_port), "probes": probes(env)}
    items = {f"service {name}": {"ready": True} for name in env.catalogue.services}
    return Desired(states=(State("health", REMOTE, items, context, observed=True),))

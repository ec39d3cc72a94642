"""Health of the platform as the edge sees it: every service answers ready at the router."""

from __future__ import annotations

from pathlib import Path

from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, State

REMOTE = Path(__file__).with_name("remote.py")


def probes(env: Environment) -> dict[str, str]:
    """Path to ask for readiness, by service."""
    from roles.service.contents import readiness_path

    return {name: readiness_path(env, service) for name, service in env.catalogue.services.items()}


def plan(env: Environment, host: Host) -> Desired:
    """Nothing to lay down; one question, asked on the first edge host and answered with every probe."""
    if host.name != env.group("edge")[0].name:
        return Desired()
    context = {"port": int(env.setting.router_port), "probes": probes(env)}
    items = {f"service {name}": {"ready": True} for name in env.catalogue.services}
    return Desired(states=(State("health", REMOTE, items, context),))

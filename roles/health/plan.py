"""Health of the platform as the edge sees it: every service answers ready at the router."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, State
from roles.functional.plan import asking
from roles.image.checkout import checkout

REMOTE = Path(__file__).parent / "host/readiness.py"


def probes(env: Environment) -> dict[str, str]:
    """Path to ask for readiness, by service: that of its own code, or of what stands in for it."""
    code = checkout(env)
    return {
        name: env.catalogue.probes_of(service, shipped_code=bool(code and code.has(service))).readiness
        for name, service in env.catalogue.services.items()
    }


def check_without(env: Environment, names: Set[str]) -> None:
    """Refuse to go on without any edge host: services are asked there."""
    if env.group("edge") and all(host.name in names for host in env.group("edge")):
        raise OperatorError(
            f"without={','.join(sorted(names))} leaves no edge host: nobody could say whether the services are "
            "healthy. Run the layers that matter instead, such as deploys/data.py, with --limit"
        )


def plan(env: Environment, host: Host) -> Desired:
    """Nothing to lay down; one question, asked on one edge host and answered with every probe."""
    if host.name not in asking(env):
        return Desired()
    context = {"port": int(env.setting.router_port), "probes": probes(env)}
    items = {f"service {name}": {"ready": True} for name in env.catalogue.services}
    return Desired(states=(State("health", REMOTE, items, context, observed=True),))

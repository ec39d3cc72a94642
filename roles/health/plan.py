"""Health of the platform as the edge sees it: every service answers ready at the router."""

from collections.abc import Set
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, State
from roles.functional.plan import asking
from roles.image.checkout import checkout

REMOTE = Path(__file__).parent / "host/readiness.py"


def probes(env: Environment) -> dict[str, str]:
    """Path of the readiness probe, by service: that of its own code, or of the reference service."""
    code = checkout(env)
    return {
        name: env.catalogue.probes_of(service, shipped_code=bool(code and code.has(service))).readiness
        for name, service in env.catalogue.services.items()
    }


def check_without(env: Environment, names: Set[str]) -> None:
    """Refuse a run that leaves out every edge host: health checks are sent from there."""
    if env.group("edge") and all(host.name in names for host in env.group("edge")):
        raise OperatorError(
            f"without={','.join(sorted(names))} leaves no edge host to check the health of services. "
            "Run only the layers that you need, such as deploys/data.py, with --limit"
        )


def plan(env: Environment, host: Host) -> Desired:
    """No items to install; one state, observed with every probe on one edge host."""
    if host.name not in asking(env):
        return Desired()
    context = {"port": int(env.setting.router_port), "probes": probes(env)}
    items = {f"service {name}": {"ready": True} for name in env.catalogue.services}
    return Desired(states=(State("health", REMOTE, items, context, observed=True),))

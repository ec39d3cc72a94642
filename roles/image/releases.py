"""The images of a release, as the registry has them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.run import Run
from roles.registry.plan import registry_host

NO_REGISTRY = "there is none: name an ops host in the inventory"
IMAGES = Path(__file__).parent / "host/images.py"


def digests(run: Run, env: Environment, names: Sequence[str], release: str) -> dict[str, dict[str, Any]]:
    """{service: {"digest"} or {"releases"}} as host/images.py finds them; OperatorError if no registry is reached."""
    host = registry_host(env)
    if host is None or not run.hosts.reaches(host.name):
        raise OperatorError(
            "only the registry's host knows which images exist, and "
            + (f"this run does not reach {host.name}: drop --limit, or start the host" if host else NO_REGISTRY)
        )
    context = {"storage": env.setting.registry_directory, "release": release}
    return run.hosts.ask_source(host.name, IMAGES, list(names), context)

"""What runs the services of an environment: Docker's swarm on its app hosts, or a cluster of Kubernetes."""

from nexus.environment.environment import Environment
from nexus.error import OperatorError

SWARM, KUBERNETES = "swarm", "kubernetes"


def engine_of(env: Environment) -> str:
    """The engine that the setting service_engine names; OperatorError if it is neither."""
    named = str(env.setting.service_engine)
    if named not in (SWARM, KUBERNETES):
        raise OperatorError(f'service_engine="{named}" in {env.name}: use "{SWARM}" or "{KUBERNETES}"')
    return named


def notes(env: Environment) -> list[str]:
    """A line if services run in a cluster, and the swarm still runs them, too."""
    if engine_of(env) == SWARM or not env.group("app"):
        return []
    names = ", ".join(host.name for host in env.group("app"))
    return [
        f"service_engine is {KUBERNETES}, so releases go to the cluster, but the swarm of {names} also runs the "
        "services: empty the group app once the cluster serves all requests"
    ]

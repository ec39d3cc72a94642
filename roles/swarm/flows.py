"""Who connects to the engines of the swarm."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import Flow, flow
from roles.swarm.plan import managers, nodes

GOSSIP, OVERLAY = 7946, 4789  # fixed by Docker


def flows(env: Environment) -> Iterator[Flow]:
    """Nodes reach the managers, each other, and the overlay network of services."""
    lead, all_nodes = (tuple(host.name for host in hosts) for hosts in (managers(env), nodes(env)))
    groups = ["app", *env.setting.swarm_workers]
    for group in groups:
        yield flow(env, group, "app", "swarm_port", "nodes reach the managers", lead)
        for to in groups:
            for protocol in ("tcp", "udp"):
                yield Flow(group, to, GOSSIP, "nodes know each other", protocol, only=all_nodes)
            yield Flow(group, to, OVERLAY, "overlay network of services", "udp", only=all_nodes)

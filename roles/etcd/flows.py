"""Who connects to etcd."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.flow import SELF, Flow, flow


def flows(env: Environment) -> Iterator[Flow]:
    """Patroni's and the lock's questions, and the members' own traffic."""
    yield flow(env, "postgresql", "etcd", "etcd_client_port", "Patroni agrees on the primary")
    yield flow(env, "etcd", "etcd", "etcd_client_port", "the lock of runs; members join")
    yield flow(env, "etcd", "etcd", "etcd_peer_port", "members agree")
    yield flow(env, SELF, "etcd", "etcd_metrics_port", "health and metrics")

"""Which sockets may wait for others on a host: what its roles plan, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nexus.environment.environment import Environment, Host
from roles.acme.settings import enabled as acme_enabled
from roles.log_store.plan import server as log_store
from roles.proxy.plan import sections
from roles.registry.plan import registry_host
from roles.storage.plan import server
from roles.swarm.plan import managers, nodes
from roles.table import ROLES

GOSSIP, VXLAN = 7946, 4789  # Docker's own, cannot be chosen
DISTRIBUTION, EPMD = 25672, 4369  # between nodes of RabbitMQ
DHCP_CLIENTS = (68, 546)  # of hosts that get their address from their network


@dataclass(frozen=True)
class Planned:
    """A socket that other hosts may reach. One that is not `needed` may be missing for the moment."""

    protocol: str
    port: int
    process: str  # as the kernel names it, at most 15 characters; empty for the kernel's own
    users: frozenset[str]
    needed: bool = True

    def __str__(self) -> str:
        return f"{self.protocol} {self.port} ({self.process or 'the kernel'})"


def planned(env: Environment, host: Host) -> list[Planned]:
    """All sockets of a host that are not on loopback alone."""
    return [Planned(*found) for found in _planned(env, host)]


def _planned(env: Environment, host: Host) -> Iterator[tuple[str, int, str, frozenset[str], bool]]:
    setting, roles = host.setting, ROLES.of(host)
    root = frozenset({"root"})
    yield "tcp", int(dict(setting).get("ssh_port") or 22), "sshd", root, True
    monitoring = frozenset({"prometheus"})
    yield "tcp", int(setting.exporter_port), "prometheus-expo", monitoring, True
    for port in DHCP_CLIENTS:
        yield "udp", port, "systemd-network", frozenset({"systemd-network"}), False
    stores = (
        ("postgresql", "postgres", "postgres"),
        ("redis", "redis-server", "redis"),
        ("redis_cache", "redis-server", "redis"),
        ("sentinel", "redis-sentinel", "redis"),
        ("rabbitmq", "beam.smp", "rabbitmq"),
        ("mongodb", "mongod", "mongodb"),
    )
    for store, process, user in stores:
        if store.removesuffix("_cache") in roles:
            yield "tcp", int(setting[f"{store}_port"]), process, frozenset({user}), True
    if "etcd" in roles:
        for port in (setting.etcd_client_port, setting.etcd_peer_port):
            yield "tcp", int(port), "etcd", frozenset({"etcd"}), True
    if "pgbouncer" in roles:
        yield "tcp", int(setting.pgbouncer_port), "pgbouncer", frozenset({"postgres"}), True
        yield "tcp", int(setting.postgresql_rest_port), "patroni", frozenset({"postgres"}), True
    if "proxy" in roles:
        for section in sections(env):
            yield "tcp", section.port, "haproxy", frozenset({"root", "haproxy"}), True
    if "rabbitmq" in roles:
        yield "tcp", DISTRIBUTION, "beam.smp", frozenset({"rabbitmq"}), True
        yield "tcp", EPMD, "epmd", frozenset({"epmd", "root"}), True  # root's is systemd, which holds the socket
    if host.name in {node.name for node in nodes(env)}:
        manages = host.name in {manager.name for manager in managers(env)}
        if manages:
            yield "tcp", int(setting.swarm_port), "dockerd", root, True
        for protocol in ("tcp", "udp"):
            yield protocol, GOSSIP, "dockerd", root, True
        yield "udp", VXLAN, "", frozenset(), False  # there once a task runs on this node
    if host == registry_host(env):
        yield "tcp", int(setting.registry_port), "docker-registry", frozenset({"docker-registry"}), True
    if host == server(env):
        users = frozenset({"root", "seaweedfs"})  # root's is systemd, which holds the socket
        yield "tcp", int(setting.storage_port), "systemd-socket-", users, True
    if host == log_store(env):
        yield "tcp", int(setting.log_store_port), "stunnel4", frozenset({"systemd-journal-remote"}), True
    if "alertmanager" in roles:
        for port in (setting.alertmanager_port, setting.alertmanager_cluster_port):
            yield "tcp", int(port), "prometheus-aler", monitoring, True
    if "router" in roles:
        for port in (setting.router_port, setting.router_metrics_port):
            yield "tcp", int(port), "docker-proxy", root, True
    if "nginx" in roles:
        for port in (setting.nginx_http_port, setting.nginx_https_port):
            yield "tcp", int(port), "nginx", frozenset({"root", str(setting.nginx_user)}), True
    if "edge" in host.groups and acme_enabled(env):
        yield "tcp", int(setting.acme_port), "systemd", root, True

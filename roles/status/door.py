"""Ports of a host at which a daemon shows a certificate that the platform renews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from roles.certificate.plan import ETCD_LEAF, LEAF
from roles.kit.environment import Environment, Host
from roles.plans import roles_of
from roles.registry.plan import registry_host
from roles.storage.plan import server

DISTRIBUTION = 25672  # between nodes of RabbitMQ
PORTS: dict[str, dict[str, tuple[str, ...]]] = {  # of each role, by the daemon behind it: settings that name them
    "etcd": {"etcd": ("etcd_client_port", "etcd_peer_port")},
    "postgresql": {"postgresql": ("postgresql_port",), "patroni": ("postgresql_rest_port",)},
    "pgbouncer": {"pgbouncer": ("pgbouncer_port",)},
    "redis": {"redis": ("redis_port",), "redis cache": ("redis_cache_port",)},
    "sentinel": {"sentinel": ("sentinel_port",)},
    "rabbitmq": {"rabbitmq": ("rabbitmq_port",)},
    "mongodb": {"mongodb": ("mongodb_port",)},
}


@dataclass(frozen=True)
class Door:
    """A port where `daemon` shows the certificate of the file `leaf`; PostgreSQL's clients ask for TLS first."""

    daemon: str
    address: str
    port: int
    leaf: str

    @property
    def asks_first(self) -> bool:
        """Whether it speaks TLS only after it was asked to, the way of PostgreSQL."""
        return self.daemon in ("postgresql", "pgbouncer")

    def __str__(self) -> str:
        return f"{self.daemon} {self.port}"


def doors(env: Environment, host: Host) -> list[Door]:
    """All of a host's, where it plans them."""
    return [Door(daemon, host.address, int(port), leaf) for daemon, port, leaf in _doors(env, host)]


def _doors(env: Environment, host: Host) -> Iterator[tuple[str, int, str]]:
    setting, roles = host.setting, roles_of(host)
    for role in roles:
        for daemon, names in PORTS.get(role, {}).items():
            for name in names:
                yield daemon, setting[name], ETCD_LEAF if role == "etcd" else LEAF
    if "rabbitmq" in roles:
        yield "rabbitmq", DISTRIBUTION, LEAF
    if host == registry_host(env):
        yield "registry", setting.registry_port, LEAF
    if host == server(env):
        yield "storage", setting.storage_port, LEAF
    if "nginx" in roles:
        yield "nginx", setting.nginx_https_port, str(setting.nginx_certificate)

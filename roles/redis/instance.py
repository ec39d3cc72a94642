"""The two Redis instances of every data host: one keeps its data, the other may evict it.

A single instance would have to choose between refusing writes of caches and evicting sessions. Each has its own
port, memory, users and primary. The Sentinels watch both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nexus.environment.environment import Environment

if TYPE_CHECKING:
    from nexus.catalogue import Catalogue, Service
    from nexus.environment.settings import Settings


@dataclass(frozen=True)
class Instance:
    """One of the two. `stem` begins the names of its files; `prefix` those of its settings."""

    name: str  # as `redis_instance` of a service names it in the catalogue
    stem: str
    unit: str
    directory: str
    prefix: str
    persistent: bool

    @property
    def config(self) -> str:
        """The file that the server reads only when it starts."""
        return f"/etc/redis/{self.stem}.conf"

    @property
    def live(self) -> str:
        """The file with settings that a running server takes too."""
        return f"/etc/redis/{self.stem}-live.conf"

    @property
    def users(self) -> str:
        """Its ACL file."""
        return f"/etc/redis/{self.stem}.acl"

    @property
    def state(self) -> str:
        """The file that the server starts with and rewrites itself: it includes ours and names its primary."""
        return f"/var/lib/redis/{self.stem}.conf"

    @property
    def socket(self) -> str:
        """The socket where the administrator of this host reaches it."""
        return f"/run/{self.stem}/redis.sock"

    def port(self, setting: Settings) -> int:
        """TLS port of the server."""
        return int(setting[f"{self.prefix}_port"])

    def proxy_port(self, setting: Settings) -> int:
        """Port at which services reach the primary."""
        return int(setting[f"{self.prefix}_proxy_port"])

    def services(self, catalogue: Catalogue) -> list[Service]:
        """Services that use it, in start order."""
        found = catalogue.services_of_store("redis")
        return [service for service in found if service.redis_instance == self.name]

    def master_name(self, catalogue: Catalogue) -> str:
        """The name under which Sentinels know its primary (operations.yaml, failover.redis.master_name)."""
        name = catalogue.operations.failover.redis.master_name
        return name if self.persistent else f"{name}-{self.name}"


PERSISTENT = Instance("persistent", "redis", "redis-server", "/var/lib/redis", "redis", True)
CACHE = Instance("cache", "redis-cache", "redis-server@cache", "/var/lib/redis/cache", "redis_cache", False)
INSTANCES = (PERSISTENT, CACHE)


def instance_of(service: Service) -> Instance:
    """The instance that a service uses."""
    return next(instance for instance in INSTANCES if instance.name == service.redis_instance)


def replicas_to_write(env: Environment) -> int:
    """How many replicas must be in touch with a primary that acknowledges writes; none if it is alone."""
    return min(1, len(env.group("redis")) - 1)

"""The stores of the Compose files: images of Debian's packages, and what each server starts with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from roles.image.recipe import Image, Members, pack
from roles.rabbitmq.users import EVENTS, EXCHANGE, service_users, vhost_names
from roles.redis.instance import INSTANCES, instance_of
from roles.redis.plan import acl


@dataclass(frozen=True)
class Server:
    """A server of a store: its name in the network, the store in the catalogue, its package, user and volume."""

    name: str
    store: str
    port: int
    package: str
    user: str
    directory: str
    secret: str  # file that it starts with: accounts of services


SERVERS = (
    Server("postgresql", "postgresql", 5432, "postgresql", "postgres", "/var/lib/postgresql", "accounts.sql"),
    Server("redis", "redis", 6379, "redis-server", "redis", "/var/lib/redis", "users.acl"),
    Server("redis-cache", "redis", 6379, "redis-server", "redis", "/var/lib/redis", "users.acl"),
    Server("rabbitmq", "rabbitmq", 5671, "rabbitmq-server", "rabbitmq", "/var/lib/rabbitmq", "accounts.json"),
)
STORES = frozenset(server.store for server in SERVERS)
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    server.name.replace("-", "_"): (f"{server.name}:{server.port}",) for server in SERVERS
} | {"postgresql_direct": ("postgresql:5432",)}


def servers_of(service: Service) -> list[str]:
    """Names of the servers that a service needs."""
    return [instance_of(service).stem if name == "redis" else name for name in service.stores if name in STORES]


def images(env: Environment, base: tuple[Image, ...]) -> dict[str, Image]:
    """{server: its image}; both servers of Redis share one."""
    parent = base[0].tag if base else str(env.setting.image_base)
    found = {}
    for server in SERVERS:
        dockerfile = env.render("compose/store.Dockerfile.j2", parent=parent, server=server)
        start = (env.root / f"templates/compose/{server.store}.sh").read_bytes()
        members: Members = {"Dockerfile": dockerfile.encode(), "nexus-store": (start, 0o755)}
        found[server.name] = Image(f"store-{server.store}", pack(members), base)
    return found


def accounts(env: Environment, server: Server) -> str:
    """The file with the accounts of all services at a server."""
    if server.store == "postgresql":
        return env.render("compose/postgresql.sql.j2", services=env.catalogue.services_of_store("postgresql"))
    if server.store == "rabbitmq":
        return definitions(env)
    return acl(env, next(each for each in INSTANCES if each.stem == server.name))


def definitions(env: Environment) -> str:
    """Virtual hosts, users, permissions and exchanges of RabbitMQ, as it loads them at each start."""
    users, permissions = [], []
    for user, about in service_users(env).items():
        hashed = {"password_hash": about["password"], "hashing_algorithm": "rabbit_password_hashing_sha256"}
        users.append({"name": user, **hashed, "tags": []})
        for vhost, patterns in about["permissions"].items():
            granted = dict(zip(("configure", "write", "read"), patterns, strict=True))
            permissions.append({"user": user, "vhost": vhost, **granted})
    more = {"auto_delete": False, "internal": False, "arguments": {}}
    events = env.catalogue.platform.events
    exchanges = [{"name": event.name, "vhost": EVENTS, **EXCHANGE, **more} for event in events]
    vhosts = [{"name": name} for name in vhost_names(env.catalogue)]
    found = {"vhosts": vhosts, "users": users, "permissions": permissions, "exchanges": exchanges}
    return json.dumps(found, indent=1) + "\n"

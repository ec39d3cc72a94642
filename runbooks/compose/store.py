"""The stores of the Compose files: images of Debian's packages, and what each server starts with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from roles.image.recipe import Image, Members, pack
from roles.rabbitmq.users import EVENTS, EVERYTHING, event_permissions, password_hash
from roles.redis.instance import INSTANCES, instance_of
from roles.redis.plan import own_accepted
from roles.redis.users import server_acl


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
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    server.name.replace("-", "_"): (f"{server.name}:{server.port}",) for server in SERVERS
} | {"postgresql_direct": ("postgresql:5432",)}


def servers_of(service: Service) -> list[str]:
    """Names of the servers that a service needs."""
    names = [name for name in service.stores if name in {server.store for server in SERVERS}]
    cache = "redis" in names and instance_of(service).name == "cache"
    return ["redis-cache" if name == "redis" and cache else name for name in names]


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
    (one,) = (each for each in INSTANCES if (each.name == "cache") == (server.name == "redis-cache"))
    services = one.services(env.catalogue)
    accepted = {service.name: env.secrets.accepted(f"redis/{service.name}") for service in services}
    return server_acl(services, own_accepted(env) | accepted)


def definitions(env: Environment) -> str:
    """Virtual hosts, users, permissions and exchanges of RabbitMQ, as it loads them at each start."""
    services = env.catalogue.services_of_store("rabbitmq")
    users, permissions = [], []
    for service in services:
        rules = {service.name: EVERYTHING}
        if events := event_permissions(env.catalogue, service):
            rules[EVENTS] = events
        for user, password in env.logins("rabbitmq", service.name):
            hashing = "rabbit_password_hashing_sha256"
            hashed = {"password_hash": password_hash(user, password), "hashing_algorithm": hashing}
            users.append({"name": user, **hashed, "tags": []})
            for vhost, patterns in rules.items():
                granted = dict(zip(("configure", "write", "read"), patterns, strict=True))
                permissions.append({"user": user, "vhost": vhost, **granted})
    common = {"type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    exchanges = [{"name": event.name, "vhost": EVENTS, **common} for event in env.catalogue.platform.events]
    vhosts = [{"name": name} for name in (*(service.name for service in services), EVENTS)]
    found = {"vhosts": vhosts, "users": users, "permissions": permissions, "exchanges": exchanges}
    return json.dumps(found, indent=1) + "\n"

"""The stores of the Compose files: which servers there are, their images, and the accounts that each starts with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.vendor_key import signing_key
from roles.image.recipe import Image, Members, pack
from roles.mongodb import plan as mongodb
from roles.mongodb.host import members, shell, state
from roles.rabbitmq.users import EVENTS, EXCHANGE, service_users, vhost_names
from roles.redis.instance import INSTANCES, instance_of
from roles.redis.plan import acl
from roles.storage import bucket
from roles.storage.plan import identities

KEYRING, SOURCES = "vendor.asc", "vendor.sources"  # in the build context of an image of a vendor's packages
WAIT_SECONDS = 120  # for MongoDB's replica set to have a primary


@dataclass(frozen=True)
class Server:
    """A server of a store: its name in the network, the store in the catalogue, its packages, user and volume."""

    name: str
    store: str
    port: int
    package: str
    user: str
    directory: str
    secret: str  # file that it starts with: accounts of services
    profile: str = ""  # profile of Compose that it belongs to


SERVERS = (
    Server("postgresql", "postgresql", 5432, "postgresql", "postgres", "/var/lib/postgresql", "accounts.sql"),
    Server("redis", "redis", 6379, "redis-server", "redis", "/var/lib/redis", "users.acl"),
    Server("redis-cache", "redis", 6379, "redis-server", "redis", "/var/lib/redis", "users.acl"),
    Server("rabbitmq", "rabbitmq", 5671, "rabbitmq-server", "rabbitmq", "/var/lib/rabbitmq", "accounts.json"),
    Server(bucket.STORE, bucket.STORE, 8333, "curl socat", "seaweedfs", "/var/lib/seaweedfs", "identities.json"),
)
MONGODB = Server(
    "mongodb",
    "mongodb",
    27017,
    "mongodb-org-server mongodb-mongosh",
    "mongodb",
    "/var/lib/mongodb",
    "accounts.json",
    profile="mongodb",
)


def servers(env: Environment) -> tuple[Server, ...]:
    """The servers that an environment's files have."""
    return (*SERVERS, MONGODB) if env.setting.compose_mongodb else SERVERS


def addresses(env: Environment) -> Mapping[str, tuple[str, ...]]:
    """Where services reach each store, by its name in the environment."""
    found = {
        server.name if server.name == server.store else server.name.replace("-", "_"): (f"{server.name}:{server.port}",)
        for server in servers(env)
    }
    return {**found, "postgresql_direct": found["postgresql"]}


def needed(env: Environment, service: Service) -> list[Server]:
    """The servers that a service needs."""
    names = [instance_of(service).stem if name == "redis" else name for name in service.stores]
    return [server for server in servers(env) if server.name in names]


def images(env: Environment, base: tuple[Image, ...]) -> dict[str, Image]:
    """{server: its image}; both servers of Redis share one."""
    parent = base[0].tag if base else str(env.setting.image_base)
    found = {}
    for server in servers(env):
        dockerfile = env.render("compose/store.Dockerfile.j2", parent=parent, server=server)
        start = (env.root / f"templates/compose/{server.store}.sh").read_bytes()
        contents: Members = {"Dockerfile": dockerfile.encode(), "nexus-store": (start, 0o755), **_vendor(env, server)}
        found[server.name] = Image(f"store-{server.store}", pack(contents), base)
    return found


def _vendor(env: Environment, server: Server) -> Members:
    """The vendor's repository and its key, and the scripts of the role; nothing for a store of Debian's packages."""
    if server != MONGODB:
        return {}
    key = signing_key(env, "MongoDB", "mongodb", "set compose_mongodb = False")
    return {
        KEYRING: key.encode(),
        SOURCES: env.render("mongodb/mongodb.sources.j2", keyring=f"/usr/share/keyrings/{KEYRING}").encode(),
        "members.js": (shell.COMMON + members.CHANGE).encode(),
        "users.js": (shell.COMMON + state.SCRIPT).encode(),
    }


def variables(env: Environment, server: Server) -> dict[str, str]:
    """What the start script of a server reads from its environment."""
    setting = env.setting
    return {
        "postgresql": {"CONNECTIONS": str(setting.compose_postgresql_connections)},
        "redis-cache": {"APPEND": "no", "POLICY": "allkeys-lru"},
        "mongodb": {"CACHE_GIB": str(setting.compose_mongodb_cache_gib), "SET": mongodb.SET},
        bucket.STORE: {
            "BUCKETS": " ".join(bucket.name(env, service.name) for service in bucket.services(env)),
            "REGION": str(setting.storage_region),
            "GOMEMLIMIT": f"{setting.storage_memory_mb}MiB",
        },
    }.get(server.name, {})


def accounts(env: Environment, server: Server) -> str:
    """The file with the accounts of all services at a server."""
    if server.store == "postgresql":
        return env.render("compose/postgresql.sql.j2", services=env.catalogue.services_of_store("postgresql"))
    if server.store == "rabbitmq":
        return definitions(env)
    if server.store == bucket.STORE:
        return json.dumps({"identities": identities(env, {})}, indent=1) + "\n"
    if server == MONGODB:
        return _request(env)
    return acl(env, next(each for each in INSTANCES if each.stem == server.name))


def _request(env: Environment) -> str:
    """What the scripts of the role mongodb are asked for: a set of one member, and the users of services."""
    hosts = mongodb.members(env)
    login = {"port": MONGODB.port, "ca": "/run/secrets/ca.pem", "user": mongodb.ADMIN}
    login |= {"password": env.secret("mongodb/admin"), "set": mongodb.SET}
    found = {"address": hosts[0], "hosts": hosts, "there": hosts, "leaving": [], "wait_seconds": WAIT_SECONDS}
    users = {"change": mongodb.users(env), "passwords": mongodb.passwords(env)}
    return json.dumps({**login, **found, **users}, indent=1) + "\n"


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

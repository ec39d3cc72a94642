"""What each host is asked beside the look at it: the parts of remote/ that fit its roles, and their requests.

A host is given only credentials that the plan puts on it anyway, or with which clients log in at its stores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from roles.backup import pgbackrest
from roles.backup.plan import RECORDS, SECRETS
from roles.catalogue import Service
from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF
from roles.health.plan import probes
from roles.kit.environment import Environment, Host
from roles.kit.model import ROOT, Desired
from roles.proxy.plan import sections
from roles.rabbitmq.users import ADMIN as BROKER_ADMIN
from roles.redis.instance import INSTANCES, Instance
from roles.redis.users import ADMIN as REDIS_ADMIN
from roles.redis.users import HEALTH as REDIS_HEALTH
from roles.registry.plan import login
from roles.service.stack import NAME as STACK
from roles.storage import bucket
from roles.storage.plan import BACKUP, PROGRAMS, access, inner_port, server

REMOTE = Path(__file__).parent / "remote"
COMMAND = "python3 -ISB -"
SEARCHED = ("/etc", "/usr/local", "/opt", "/srv", "/tmp", "/var/tmp", "/var/lib/nexus-cos", "/var/log", "/run")
SECRET_BYTES_MIN = 12
STORAGE_MODULES = ("roles.kit.agent.base", "roles.storage.s3")
BROKER = ("vhosts", "users", "permissions", "exchanges/events", "nodes", "queues")

Requests = dict[str, dict[str, Any]]


def program(requests: Requests) -> str:
    """A Python program that carries out the requests and prints the answers, for a host's standard input."""
    parts = {
        name: {"name": name, "source": (REMOTE / f"{name}.py").read_text(), "request": request}
        for name, request in requests.items()
    }
    return f"{(REMOTE / 'run.py').read_text()}\nmain(json.loads({json.dumps(parts)!r}))\n"


def requests(env: Environment, host: Host, everywhere: Mapping[str, Mapping[str, Desired]]) -> Requests:
    """Requests by part for one host; `everywhere` holds the plans of all hosts by host and role."""
    planned = everywhere[host.name]
    found: Requests = {"port": {"ports": _closed(env, host)}}
    for role, ask in STORES.items():
        if role in planned:
            found[role] = ask(env, host)
    for part, (role, question) in OTHERS.items():
        if role in planned:
            found[part] = question(env, host)
    if planned.get("storage") and planned["storage"].units:
        found["storage"] = _storage(env)
    if planned.get("backup") and planned["backup"].units:
        found["backup"] = _backup(env, host)
    if "docker" in planned:
        found["docker"] = {"networks": ["docker_gwbridge", "nexus"], "stack": STACK}
    if web := _web(env, host, planned):
        found["web"] = {"requests": web}
    held = [*planned.values(), *_of_tasks(host, everywhere)]
    found["secret"] = _secret(env, held, json.dumps(found))
    return found


def _of_tasks(host: Host, everywhere: Mapping[str, Mapping[str, Desired]]) -> list[Desired]:
    """Plan of the services, whose secrets each app host is given with its tasks."""
    if "app" not in host.groups:
        return []
    return [plan["service"] for plan in everywhere.values() if "service" in plan]


def router_ports(edge: Host) -> list[int]:
    """Ports of the router, which no other host may reach."""
    return [int(edge.setting.router_port), int(edge.setting.router_metrics_port)]


def _closed(env: Environment, host: Host) -> list[tuple[str, int]]:
    """Ports on other hosts that are for these alone, each with one there that must be open, or it proves nothing."""
    ports = {edge.address: [*router_ports(edge), int(edge.setting.nginx_https_port)] for edge in env.group("edge")}
    if (storage := server(env)) and storage.address != host.address:
        ports.setdefault(storage.address, []).extend([inner_port(env), int(env.setting.storage_port)])
    if "edge" in host.groups:
        ports = {address: numbers for address, numbers in ports.items() if storage and address == storage.address}
    return [(address, port) for address, numbers in ports.items() for port in numbers]


def _secret(env: Environment, held: Iterable[Desired], asked: str) -> dict[str, Any]:
    """Values that this host holds or was just given, and where everybody there could read them."""
    plans = list(held)
    files = [file for plan in plans for file in (*plan.early, *plan.files)]
    states = [state for plan in plans for state in plan.states]
    texts = [asked, *(file.data.decode(errors="replace") for file in files)]
    texts += [repr((dict(state.context), state.payload and dict(state.payload))) for state in states]
    kept = [name for name in env.secrets.names() if not name.endswith("/ca-certificate")]
    named = {name: str(env.secrets.optional(name)) for name in kept}
    values = {name: _parts(text) for name, text in named.items()}
    values = {name: parts for name, parts in values.items() if any(part in text for part in parts for text in texts)}
    keys = {file.path: _parts(file.data.decode()) for file in files if file.secret and b"PRIVATE KEY" in file.data}
    return {"values": values | keys, "directories": [*SEARCHED, str(env.setting.log_directory)]}


def _parts(text: str) -> list[str]:
    """Lines of a secret that are long enough to be no chance finding."""
    return [line for line in text.splitlines() if len(line) >= SECRET_BYTES_MIN and "-----" not in line][:3]


def _web(env: Environment, host: Host, planned: Mapping[str, Desired]) -> dict[str, Any]:
    def local(path: str, port: int, **more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": port, "path": path, **more}

    setting = host.setting
    found: dict[str, Any] = {}
    if "rabbitmq" in planned:
        admin = [BROKER_ADMIN, env.secret("rabbitmq/admin")]
        port = setting.rabbitmq_management_port
        found |= {f"rabbitmq {what}": local(f"/api/{what}", port, login=admin) for what in BROKER}
        for service in env.catalogue.services_of_store("rabbitmq")[:1]:
            one = list(env.login("rabbitmq", service.name))
            found["rabbitmq management as a service"] = local("/api/whoami", port, login=one)
        found["rabbitmq management as guest"] = local("/api/whoami", port, login=["guest", "guest"])
    if "nginx" in planned:
        found["nginx config"] = local("/config", setting.nginx_status_port)
    if "router" in planned:
        found["router health"] = local("/health", setting.router_port)
        for service, path in probes(env).items():
            headers = {"X-Nexus-Service": service, "Host": service}
            found[f"ready {service}"] = local(path, setting.router_port, headers=headers)
    if planned.get("registry") and planned["registry"].units:
        found |= _registry(env, planned)
    return found


def _registry(env: Environment, planned: Mapping[str, Desired]) -> dict[str, Any]:
    user, password = login(env)
    place = {"host": "127.0.0.1", "port": env.setting.registry_port, "ca": CA}
    found: dict[str, Any] = {
        "registry with password": {**place, "path": "/v2/", "login": [user, password]},
        "registry without password": {**place, "path": "/v2/"},
        "registry with wrong password": {**place, "path": "/v2/", "login": [user, "wrong"]},
        "registry without TLS": {**place, "path": "/v2/", "ca": None},
    }
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    for state in planned["image"].states:
        for name, wanted in state.items.items():
            for kind, tag in (("release", env.setting.release), ("content", f"content-{wanted['content']}")):
                path = f"/v2/nexus-cos/{name.removeprefix('image ')}/manifests/{tag}"
                ask = {**place, "path": path, "method": "HEAD", "headers": accept, "login": [user, password]}
                found[f"{kind} of {name}"] = ask
    return found


def shared_out(env: Environment, host: Host, group: str) -> list[Service]:
    """Services with a database of which this host of a group tries what is the same on all of them.

    Each host tries some, each service is tried by some host: a thousand log-ins more would find nothing else.
    """
    hosts = [other.name for other in env.group(group)]
    return env.catalogue.services_of_store("postgresql")[hosts.index(host.name) :: len(hosts)]


def _postgresql(env: Environment, host: Host) -> dict[str, Any]:
    services = env.catalogue.services_of_store("postgresql")
    refused = shared_out(env, host, "postgresql")
    verified = {"sslmode": "verify-full", "sslrootcert": CA}
    logins: dict[str, Any] = {}
    for number, service in enumerate(services):
        other = services[number - 1]
        both = env.logins("postgresql", service.name)
        for user, password in both:
            logins[user] = {"dbname": service.database, "user": user, "password": password, **verified}
        if service not in refused:
            continue
        user, password = both[0]
        own = {"dbname": service.database, "password": password, **verified}
        logins[f"{user} at {other.database}"] = {**own, "user": user, "dbname": other.database}
        logins[f"{user} at postgres"] = {**own, "user": user, "dbname": "postgres"}
        logins[f"{user} with a wrong password"] = {**own, "user": user, "password": "wrong"}
        logins[f"{user} without TLS"] = {**own, "user": user, "sslmode": "disable"}
        logins[service.database] = {**own, "user": service.database}
    member = {"host": host.address, **verified}  # members let each other in, and themselves
    superuser = {"dbname": "postgres", "user": "postgres", "password": env.secret("postgresql/superuser")}
    replication = {"user": "replicator", "password": env.secret("postgresql/replication"), "replication": "true"}
    logins["password of postgres"] = {**member, **superuser}
    logins["password of replicator"] = {**member, **replication, "statement": "IDENTIFY_SYSTEM"}
    return {"address": "127.0.0.1", "port": env.setting.postgresql_port, "logins": logins}


def _redis(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "address": host.address,
        "ca": CA,
        "admin": [REDIS_ADMIN, env.secret("redis/admin")],
        "health": [REDIS_HEALTH, env.secret("redis/health")],
        "sentinel_port": env.setting.sentinel_port,
        "instances": {one.name: _redis_instance(env, one) for one in INSTANCES},
    }


def _redis_instance(env: Environment, one: Instance) -> dict[str, Any]:
    services = one.services(env.catalogue)
    trials = {
        service.name: [*redis_allowed(service), *redis_refused(service, services[number - 1])]
        for number, service in enumerate(services)
    }
    return {
        "port": one.port(env.setting),
        "socket": one.socket,
        "master": one.master_name(env.catalogue),
        "logins": {service.name: env.secret(f"redis/{service.name}") for service in services},
        "trials": {**trials, REDIS_HEALTH: ["ROLE", "PING", "INFO", "GET x", "SENTINEL MASTERS", "CONFIG GET *"]},
    }


def redis_allowed(service: Any) -> list[str]:
    """Commands that a service needs and may give."""
    own = [f"{prefix}verify" for prefix in service.key_prefixes]
    return ["PING", "INFO", *(f"GET {key}" for key in own), *(f"SET {key} 1 EX 5" for key in own), f"DEL {own[0]}",
            f"PUBLISH {own[0]} x", f"SUBSCRIBE {own[0]}"]  # fmt: skip


def redis_refused(service: Any, other: Any) -> list[str]:
    """Commands that reach beyond a service's own keys; `other` is another service."""
    beyond = ["FLUSHDB", "FLUSHALL", "KEYS *", "SCAN 0", "RANDOMKEY", "CONFIG GET *", "ACL LIST", "SHUTDOWN",
              "DEBUG HELP", "REPLICAOF NO ONE", "MONITOR", "FUNCTION LIST", "CLIENT LIST", "SCRIPT FLUSH"]  # fmt: skip
    if other.name == service.name:
        return beyond
    theirs = f"{other.name}:verify"
    return [*beyond, f"GET {theirs}", f"SET {theirs} 1", f"DEL {theirs}", f"SUBSCRIBE {theirs}", f"PUBLISH {theirs} x"]


def _rabbitmq(env: Environment, host: Host) -> dict[str, Any]:
    services = env.catalogue.services_of_store("rabbitmq")
    logins = {"guest": ["guest", "guest", "/"]}
    for number, service in enumerate(services):
        other = services[number - 1].name
        both = env.logins("rabbitmq", service.name)
        logins |= {user: [user, password, service.name] for user, password in both}
        user, password = both[0]
        logins[f"{user} at {other}"] = [user, password, other]
        logins[f"{user} with a wrong password"] = [user, "wrong", service.name]
    return {"address": host.address, "port": env.setting.rabbitmq_port, "ca": CA, "logins": logins}


def _mongodb(env: Environment, host: Host) -> dict[str, Any]:
    services = env.catalogue.services_of_store("mongodb")
    logins = [
        {"user": user, "password": password, "database": service.database, "other": services[number - 1].database}
        for number, service in enumerate(services)
        for user, password in env.logins("mongodb", service.name)
    ]
    return {"address": "127.0.0.1", "port": env.setting.mongodb_port, "ca": CA, "logins": logins}


def _etcd(env: Environment, host: Host) -> dict[str, Any]:
    endpoint = f"{host.address}:{env.setting.etcd_client_port}"
    return {"endpoint": endpoint, "ca": ETCD_CA, "certificate": ETCD_LEAF, "key": ETCD_KEY}


def _patroni(env: Environment, host: Host) -> dict[str, Any]:
    members = {member.name: member.address for member in env.group("postgresql")}
    return {"members": members, "port": env.setting.postgresql_rest_port, "ca": CA}


def _proxy(env: Environment, host: Host) -> dict[str, Any]:
    ways = {section.name: section.port for section in sections(env) if section.name.startswith("postgresql")}
    if not env.present("postgresql"):
        return {"address": env.gateway, "ways": {}, "logins": {}, "ca": CA}
    every = env.catalogue.services_of_store("postgresql")
    user, password = env.login("postgresql", every[0].name)
    others = {"a wrong password": [user, "wrong", every[0].database], "another database": [user, password, "postgres"]}
    logins = {}
    for way in ways:
        services = every if way == "postgresql" else shared_out(env, host, "app")
        logins[way] = others | {
            user: [user, password, service.database]
            for service in services
            for user, password in env.logins("postgresql", service.name)
        }
    return {"address": env.gateway, "ways": ways, "logins": logins, "ca": CA}


def _storage(env: Environment) -> dict[str, Any]:
    modules = [[name, (ROOT.joinpath(*name.split("."))).with_suffix(".py").read_text()] for name in STORAGE_MODULES]
    program = f"{PROGRAMS}/{env.setting.storage_release}/bin/weed"
    own = {
        key: {**access(env, BACKUP), "bucket": bucket.name(env, service.name), "key": key, "secret": secret}
        for service in bucket.services(env)
        for key, secret in bucket.logins(env, service.name)
    }
    return {"access": access(env, BACKUP), "services": own, "program": program, "modules": modules}


def _backup(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "records": RECORDS,
        "secrets": SECRETS,
        "stanza": pgbackrest.STANZA if "postgresql" in host.groups else "",
        "data": pgbackrest.data(env),
        "programs": f"/usr/lib/postgresql/{env.setting.postgresql_version}/bin",
    }


OTHERS = {"etcd": ("etcd", _etcd), "patroni": ("postgresql", _patroni), "proxy": ("proxy", _proxy)}
STORES = {"postgresql": _postgresql, "redis": _redis, "rabbitmq": _rabbitmq, "mongodb": _mongodb}

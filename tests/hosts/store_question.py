"""What hosts are asked about their stores: log-ins that must succeed or fail, and what servers say of themselves."""

from __future__ import annotations

from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment, Host
from nexus.project import source
from roles.backup.environment import SECRETS
from roles.backup.host.copy import MARK
from roles.backup.host.paths import RECORDS
from roles.backup.plan import copy_holder
from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF
from roles.postgresql.patroni import STANZA, data
from roles.proxy.plan import sections
from roles.redis.instance import INSTANCES, Instance
from roles.redis.users import ADMIN as REDIS_ADMIN
from roles.redis.users import HEALTH as REDIS_HEALTH
from roles.storage import bucket
from roles.storage.plan import BACKUP, PROGRAMS, access

STORAGE_MODULES = ("nexus.agent.lib", "roles.storage.host.signature", "roles.storage.host.s3")


def shared_out(env: Environment, host: Host, group: str) -> list[Service]:
    """Services with a database of which this host of a group tries what is the same on all of them.

    Each host tries some, each service is tried by some host: a thousand log-ins more would find nothing else.
    """
    hosts = [other.name for other in env.group(group)]
    return env.catalogue.services_of_store("postgresql")[hosts.index(host.name) :: len(hosts)]


def postgresql(env: Environment, host: Host) -> dict[str, Any]:
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
    if host == env.speaker("postgresql"):
        logins |= {name: {**login, **verified} for name, login in _tables(env).items()}
    member = {"host": host.address, **verified}  # members let each other in, and themselves
    superuser = {"dbname": "postgres", "user": "postgres", "password": env.secret("postgresql/superuser")}
    replication = {"user": "replicator", "password": env.secret("postgresql/replication"), "replication": "true"}
    logins["password of postgres"] = {**member, **superuser}
    logins["password of replicator"] = {**member, **replication, "statement": "IDENTIFY_SYSTEM"}
    return {"address": "127.0.0.1", "port": env.setting.postgresql_port, "logins": logins}


def _tables(env: Environment) -> dict[str, Any]:
    """Both log-ins of each service with a first schema, at the primary: who owns its tables, once all could be used."""
    found = {}
    members = ",".join(member.address for member in env.group("postgresql"))
    for service in env.catalogue.services_of_store("postgresql"):
        if not (schema := env.catalogue.schema_of(service)):
            continue
        tried = [
            f"insert into {table} overriding system value select * from {table} where false; "
            f"delete from {table} where false; select count(*) from {table}"
            for table in schema.tables
        ]
        names = ", ".join(f"'{table}'" for table in schema.tables)
        owners = f"select relname || ' of ' || relowner::regrole from pg_class where relname in ({names}) order by 1"
        statement = "; ".join([*tried, f"select current_user, array_to_string(array({owners}), ', ')"])
        at_primary = {"host": members, "target_session_attrs": "read-write", "statement": statement}
        for user, password in env.logins("postgresql", service.name):
            login = {"dbname": service.database, "user": user, "password": password}
            found[f"tables as {user}"] = {**login, **at_primary}
    return found


def redis(env: Environment, host: Host) -> dict[str, Any]:
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


def rabbitmq(env: Environment, host: Host) -> dict[str, Any]:
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


def mongodb(env: Environment, host: Host) -> dict[str, Any]:
    services = env.catalogue.services_of_store("mongodb")
    logins = [
        {"user": user, "password": password, "database": service.database, "other": services[number - 1].database}
        for number, service in enumerate(services)
        for user, password in env.logins("mongodb", service.name)
    ]
    return {"address": "127.0.0.1", "port": env.setting.mongodb_port, "ca": CA, "logins": logins}


def etcd(env: Environment, host: Host) -> dict[str, Any]:
    endpoint = f"{host.address}:{env.setting.etcd_client_port}"
    return {"endpoint": endpoint, "ca": ETCD_CA, "certificate": ETCD_LEAF, "key": ETCD_KEY}


def patroni(env: Environment, host: Host) -> dict[str, Any]:
    members = {member.name: member.address for member in env.group("postgresql")}
    return {"members": members, "port": env.setting.postgresql_rest_port, "ca": CA}


def proxy(env: Environment, host: Host) -> dict[str, Any]:
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


def storage(env: Environment) -> dict[str, Any]:
    modules = [[name, source(name).read_text()] for name in STORAGE_MODULES]
    program = f"{PROGRAMS}/{env.setting.storage_release}/bin/weed"
    own = {
        key: {**access(env, BACKUP), "bucket": bucket.name(env, service.name), "key": key, "secret": secret}
        for service in bucket.services(env)
        for key, secret in bucket.logins(env, service.name)
    }
    return {"access": access(env, BACKUP), "services": own, "program": program, "modules": modules, "mark": MARK}


def backup(env: Environment, host: Host) -> dict[str, Any]:
    return {
        "copy": str(env.setting.backup_copy_directory) if host == copy_holder(env) else "",
        "records": RECORDS,
        "secrets": SECRETS,
        "stanza": STANZA if "postgresql" in host.groups else "",
        "data": data(env),
        "programs": f"/usr/lib/postgresql/{env.setting.postgresql_version}/bin",
    }


PARTS = {  # of remote/, by the role whose hosts they fit
    "postgresql": ("postgresql", postgresql),
    "redis": ("redis", redis),
    "rabbitmq": ("rabbitmq", rabbitmq),
    "mongodb": ("mongodb", mongodb),
    "etcd": ("etcd", etcd),
    "patroni": ("postgresql", patroni),
    "proxy": ("proxy", proxy),
}

"""Buckets of services: one for each that declares object storage, and keys that open no other.

At our own server each service has two keys, which are used in turn, so that a rotation locks nobody out. At an
endpoint outside its bucket and its key are made by whoever owns the account; a service whose key is not among
the secrets has none there, and says so in its readiness.
"""

from __future__ import annotations

import re
from collections import defaultdict

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest

STORE, GROUP = "object-storage", "storage"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def services(env: Environment) -> list[Service]:
    """Services that have a bucket in this environment."""
    return [service for service in env.catalogue.services_of_store(STORE) if env.present(STORE, service.name)]


def name(env: Environment, service: str) -> str:
    """Name of a service's bucket."""
    named = env.setting.storage_service_bucket_of.get(service)
    return str(named or env.setting.storage_service_bucket.format(environment=env.name, service=service))


def logins(env: Environment, service: str) -> list[tuple[str, str]]:
    """(access key, secret key) that open the bucket: both of our own server's, or the one of an endpoint outside."""
    if not env.setting.storage_endpoint:
        return env.logins(GROUP, service)
    given = {secret: env.secrets.optional(secret) for secret in (f"{GROUP}/{service}/key", f"{GROUP}/{service}")}
    if missing := [secret for secret, value in given.items() if not value]:
        raise OperatorError(
            f"the secrets of {env.name} hold half of the key of {service} at {env.setting.storage_endpoint}: add "
            f"{' and '.join(missing)} with `make secrets-edit NEXUS_ENV={env.name}`"
        )
    key, secret = given.values()
    return [(str(key), str(secret))]


def login(env: Environment, service: str) -> tuple[str, str]:
    """The key that the service uses now."""
    return logins(env, service)[0] if env.setting.storage_endpoint else env.login(GROUP, service)


def actions(bucket: str) -> list[str]:
    """What a service may do, in the words of our server: anything with objects of its bucket, and list them.

    To write to the bucket itself is not among it: it could stop keeping versions, or have objects expire.
    """
    return [f"Read:{bucket}", f"List:{bucket}", f"Write:{bucket}/*", f"Tagging:{bucket}/*"]


def check(env: Environment, backups: str) -> None:
    """OperatorError for names that no bucket may have or that two would share; `backups` is that of backups."""
    _check_settings(env)
    users: dict[str, list[str]] = defaultdict(list)
    users[backups].append("backups")
    for service in services(env):
        logins(env, service.name)
        found = name(env, service.name)
        users[found].append(service.name)
        if not NAME.fullmatch(found):
            raise OperatorError(
                f'the bucket of {service.name} would be named "{found}": a name has 3 to 63 lower-case letters, '
                f"digits and hyphens, and no hyphen at its ends. {_where(service.name)}"
            )
    for found, sharing in users.items():
        if len(sharing) > 1:
            raise OperatorError(
                f'{" and ".join(sharing)} would share the bucket "{found}": each has one of its own. '
                f"{_where(sharing[-1])}"
            )


def missing(env: Environment) -> list[str]:
    """A line about services that have no bucket at an endpoint outside, and what would give them one."""
    if not env.setting.storage_endpoint:
        return []
    known = {service.name for service in services(env)}
    return [
        f"{service.name} has no bucket at {env.setting.storage_endpoint}: have one made (versioned, "
        f"{name(env, service.name)} or what storage_service_bucket_of says) with a user for it alone, and add the key "
        f"to the secrets of {env.name} as {GROUP}/{service.name}/key and {GROUP}/{service.name}"
        for service in env.catalogue.services_of_store(STORE)
        if service.name not in known
    ]


def _check_settings(env: Environment) -> None:
    pattern, named = str(env.setting.storage_service_bucket), env.setting.storage_service_bucket_of
    try:
        pattern.format(environment="environment", service="service")
    except (LookupError, ValueError, AttributeError) as error:
        raise OperatorError(
            f'storage_service_bucket is "{pattern}", and {error} in it means nothing: it can hold {{environment}} and '
            "{service}"
        ) from None
    wanted = [service.name for service in env.catalogue.services_of_store(STORE)]
    for service in named:
        if service not in wanted:
            raise OperatorError(
                f"storage_service_bucket_of names {service}, which has no {STORE} among its stores"
                f"{nearest(service, wanted) or '.'} Those that have: {', '.join(wanted) or 'none'}"
            )


def _where(service: str) -> str:
    return f'Change storage_service_bucket, or name this one: storage_service_bucket_of = {{"{service}": "..."}}'

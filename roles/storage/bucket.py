"""Buckets of services: one for each service that declares object storage, and keys that open only this bucket.

At our own server each service has two keys, which are used in turn, so that a rotation locks no service out. At an
external endpoint the owner of the account makes its bucket and its key. A service whose key is not among the secrets
has no bucket there, and its readiness says so.
"""

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
    """Name of a service's bucket. It has hyphens for underscores of the environment's name, which S3 forbids."""
    named = env.setting.storage_service_bucket_of.get(service)
    environment = env.name.replace("_", "-")
    return str(named or env.setting.storage_service_bucket.format(environment=environment, service=service))


def logins(env: Environment, service: str) -> list[tuple[str, str]]:
    """(access key, secret key) pairs that open the bucket: two at our own server, one at an external endpoint."""
    if not env.setting.storage_endpoint:
        return env.logins(GROUP, service)
    given = {secret: env.secrets.optional(secret) for secret in (f"{GROUP}/{service}/key", f"{GROUP}/{service}")}
    if missing := [secret for secret, value in given.items() if not value]:
        raise OperatorError(
            f"the secrets of {env.name} hold only half of the key of {service} at {env.setting.storage_endpoint}: add "
            f"{' and '.join(missing)} with `make secrets-edit NEXUS_ENV={env.name}`"
        )
    key, secret = given.values()
    return [(str(key), str(secret))]


def login(env: Environment, service: str) -> tuple[str, str]:
    """The key that the service uses now."""
    return logins(env, service)[0] if env.setting.storage_endpoint else env.login(GROUP, service)


def actions(bucket: str) -> list[str]:
    """What a service may do, as our server names it: list the objects of its bucket and do anything with them.

    It may not write to the bucket itself: it could turn versions off, or have objects expire.
    """
    return [f"Read:{bucket}", f"List:{bucket}", f"Write:{bucket}/*", f"Tagging:{bucket}/*"]


def check(env: Environment, backups: str) -> None:
    """OperatorError for invalid names and for names that two would share; `backups` is the bucket of backups."""
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
                f"digits and hyphens, and no hyphen at either end. {_where(service.name)}"
            )
    for found, sharing in users.items():
        if len(sharing) > 1:
            raise OperatorError(
                f'{" and ".join(sharing)} would share the bucket "{found}": each needs its own. {_where(sharing[-1])}'
            )


def missing(env: Environment) -> list[str]:
    """A line for each service without a bucket at an external endpoint, with the way to get one."""
    if not env.setting.storage_endpoint:
        return []
    known = {service.name for service in services(env)}
    return [
        f"{service.name} has no bucket at {env.setting.storage_endpoint}: have one made (versioned, named "
        f"{name(env, service.name)} or as storage_service_bucket_of says) with its own user, and add the key "
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
            f'storage_service_bucket is "{pattern}", which is not a valid pattern ({error}): use only {{environment}} '
            "and {service}"
        ) from None
    wanted = [service.name for service in env.catalogue.services_of_store(STORE)]
    for service in named:
        if service not in wanted:
            raise OperatorError(
                f"storage_service_bucket_of names {service}, which has no {STORE} among its stores"
                f"{nearest(service, wanted) or '.'} Services that have it: {', '.join(wanted) or 'none'}"
            )


def _where(service: str) -> str:
    return f'Change storage_service_bucket, or name this one with storage_service_bucket_of = {{"{service}": "..."}}'

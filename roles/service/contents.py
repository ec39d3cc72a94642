"""What a service is told when it starts: its configuration and its credentials, as env-file text.

Two files, because they change and roll back apart: configuration belongs to a release, credentials
do not. Both become Docker secrets named by their content, so a changed value is a new name and
exactly the services that hold it are rolled.
"""

from __future__ import annotations

from collections.abc import Mapping

from roles.catalogue import Service
from roles.image.runtime import heap_mb
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.fingerprint import keyed_hash

from .access import ACCESS, CA, postgresql
from .released import released
from .scale import size


def config(env: Environment, service: Service) -> dict[str, str]:
    """Configuration of one service: nothing in it is secret."""
    stores = [store for store in service.stores if env.present(store, service.name)]
    values = {
        **env.catalogue.platform.environment.common,
        "SERVICE_NAME": service.name,
        "PORT": str(service.port),
        "RELEASE": released(env, service.name).release,
        "STORES": ",".join(stores),
        "STORES_ABSENT": ",".join(store for store in service.stores if store not in stores),
        "DEPENDS_ON": ",".join(f"{name}={_health_url(env, name)}" for name in service.depends_on),
        "NODE_EXTRA_CA_CERTS": CA,
        "NODE_OPTIONS": f"--max-old-space-size={heap_mb(size(env, service).memory_bytes)}",
        "REDIS_KEY_PREFIX": f"{service.name}:",
    }
    for more in (env.setting.service_environment, env.setting.service_environment_of.get(service.name, {})):
        values |= {key: str(value) for key, value in more.items()}
    return values


def credentials(env: Environment, service: Service) -> dict[str, str]:
    """Everything secret that one service needs: log-ins at its stores, signing key, keys of providers."""
    values = {"JWT_SECRET": env.secret("service/jwt")}
    if len(keys := env.secrets.accepted("service/jwt")) > 1:  # tokens that are still, or already, signed with the other
        values["JWT_SECRETS_ACCEPTED"] = ",".join(keys)
    for store, access in ACCESS.items():
        if store in service.stores and env.present(store, service.name):
            values |= access(env, service)
    if service.handshake:
        values[env.catalogue.handshake.env] = env.catalogue.handshake.value
    for key, services in env.setting.service_external_keys.items():
        if service.name in services or "*" in services:
            values[key] = _external(env, key)
    return values


def migration_credentials(env: Environment, service: Service) -> dict[str, str]:
    """The same for its migration: past the pooler, since locks and schema changes want a session of their own."""
    values = credentials(env, service)
    if "DATABASE_URL" in values:
        values |= postgresql(env, service, int(env.setting.postgresql_proxy_direct_port))
    return values


def env_file(values: Mapping[str, str]) -> str:
    """KEY=value lines, sorted; raises OperatorError for a value that would not fit on one line."""
    for key, value in values.items():
        if "\n" in value:
            raise OperatorError(
                f"the value of {key} for services has more than one line, an env-file cannot hold it"
            )
    return "".join(f"{key}={values[key]}\n" for key in sorted(values))


def secret_name(env: Environment, stem: str, content: str) -> str:
    """Name of the Docker secret with this content."""
    return f"{stem}-{keyed_hash(env, content)}"


def secrets(env: Environment, service: Service) -> dict[str, tuple[str, str]]:
    """{file below /run/secrets: (name of the Docker secret, content)} of one service.

    Without content where only the swarm has it: the configuration of a release that was gone back to.
    """
    contents = {
        "config": env_file(config(env, service)),
        "credentials": env_file(credentials(env, service)),
    }
    named = {
        file: (secret_name(env, f"{service.name}-{file}", text), text) for file, text in contents.items()
    }
    now = released(env, service.name)
    if now.pinned and now.config:
        named["config"] = (now.config, "")
    authority = env.tls.certificate
    return named | {"ca.pem": (secret_name(env, "ca", authority), authority)}


def _health_url(env: Environment, name: str) -> str:
    return f"http://{name}:{env.catalogue.service(name).port}/health"


def _external(env: Environment, key: str) -> str:
    value = env.secrets.optional(f"external/{key}")
    if value is None:
        raise OperatorError(
            f'service_external_keys names {key}, but the secrets of {env.name} have no "external/{key}": '
            "add it there"
        )
    return value

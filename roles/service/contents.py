"""What a service is given when it starts: its configuration and its credentials, as env-file text.

Two files, because they change and roll back apart: configuration belongs to a release, credentials
do not. Configuration is a Docker config, which anyone who manages the swarm can read; credentials are a Docker secret.
Both are named by their content, so a changed value is a new name and exactly the services that hold it are rolled.

The entry point of images reads credentials last. They hold each log-in whole, its host and port included, although the
configuration has these too: a log-in changes as one, and a service that went back to the configuration of an earlier
release keeps the addresses of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.fingerprint import keyed_hash
from nexus.error import OperatorError
from roles.image.runtime import heap_mb
from roles.service.access import ACCESS, CA, DIRECTORY, PLAIN, postgresql
from roles.service.released import released
from roles.service.scale import size

CONFIG, CREDENTIALS = f"{DIRECTORY}/config", f"{DIRECTORY}/credentials"


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
    for login in logins(env, service).values():
        values |= {key: value for key, value in login.items() if key in PLAIN}
    for more in (env.setting.service_environment, env.setting.service_environment_of.get(service.name, {})):
        values |= {key: str(value) for key, value in more.items()}
    return values


def logins(env: Environment, service: Service) -> dict[str, dict[str, str]]:
    """Log-ins of a service at those of its stores that this environment has, by store."""
    stores = [store for store in ACCESS if store in service.stores and env.present(store, service.name)]
    return {store: ACCESS[store](env, service) for store in stores}


def credentials(env: Environment, service: Service) -> dict[str, str]:
    """Everything secret that one service needs: log-ins at its stores, signing key, keys of providers."""
    values = {"JWT_SECRET": env.secret("service/jwt")}
    if len(keys := env.secrets.accepted("service/jwt")) > 1:  # tokens that are still, or already, signed with the other
        values["JWT_SECRETS_ACCEPTED"] = ",".join(keys)
    for login in logins(env, service).values():
        values |= login
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
            raise OperatorError(f"the value of {key} for services has more than one line, an env-file cannot hold it")
    return "".join(f"{key}={values[key]}\n" for key in sorted(values))


def item_name(env: Environment, stem: str, content: str) -> str:
    """The item of a Docker config or secret with this content: "config NAME" or "secret NAME"."""
    return f"{stem}-{keyed_hash(env, content)}"


def config_item(env: Environment, service: Service) -> tuple[str, str]:
    """Item and content of the configuration of this checkout, whatever release the service went back to."""
    text = env_file(config(env, service))
    return item_name(env, f"config {service.name}", text), text


def mounted(env: Environment, service: Service) -> dict[str, tuple[str, str]]:
    """{path in the container: (item, content)} of the configs and secrets of one service.

    Without content where only the swarm has it: the configuration of a release that was gone back to. Earlier versions
    of this project made it a secret, whose name says so.
    """
    now, text, authority = released(env, service.name), env_file(credentials(env, service)), env.tls.certificate
    held = f"{'secret' if now.config.startswith(f'{service.name}-config-') else 'config'} {now.config}"
    return {
        CONFIG: (held, "") if now.pinned and now.config else config_item(env, service),
        CREDENTIALS: (item_name(env, f"secret {service.name}-credentials", text), text),
        CA: (item_name(env, "config ca", authority), authority),
    }


def contents(env: Environment, services: Iterable[Service]) -> dict[str, str]:
    """{item: content} of all configs and secrets of services that can be made where they are missing."""
    return {item: text for service in services for item, text in mounted(env, service).values() if text}


def _health_url(env: Environment, name: str) -> str:
    return f"http://{name}:{env.catalogue.service(name).port}/health"


def _external(env: Environment, key: str) -> str:
    value = env.secrets.optional(f"external/{key}")
    if value is None:
        raise OperatorError(
            f'service_external_keys names {key}, but the secrets of {env.name} have no "external/{key}": add it there'
        )
    return value

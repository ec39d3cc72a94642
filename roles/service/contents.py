"""What a service gets when it starts: its configuration and its credentials, as env-file text.

They are two files, because they change and roll back separately: configuration belongs to a release, credentials do
not. Configuration is a Docker config, which anyone who manages the swarm can read; credentials are a Docker secret.
Both are named by their content, so a changed value is a new name, and exactly the services that use it are rolled out.

The entry point of images reads credentials last. They hold each login completely, with its host and port, although the
configuration has these too: a login changes as a whole, and a service that went back to the configuration of an
earlier release keeps the present addresses.
"""

from collections.abc import Callable, Iterable, Mapping

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.fingerprint import keyed_hash
from nexus.error import OperatorError
from roles.image.runtime import heap_mb
from roles.service.access import ACCESS, CA, DIRECTORY, PLAIN, direct, postgresql
from roles.service.released import released
from roles.service.scale import size

CONFIG, CREDENTIALS = f"{DIRECTORY}/config", f"{DIRECTORY}/credentials"


def config(env: Environment, service: Service, host: Callable[[str], str] = str) -> dict[str, str]:
    """The configuration of one service; nothing in it is secret. `host(NAME)` is where it finds another service."""
    stores = [store for store in service.stores if env.present(store, service.name)]
    values = {
        **env.catalogue.platform.environment.common,
        "SERVICE_NAME": service.name,
        "PORT": str(service.port),
        "RELEASE": released(env, service.name).release,
        "STORES": ",".join(stores),
        "STORES_ABSENT": ",".join(store for store in service.stores if store not in stores),
        "DEPENDS_ON": ",".join(f"{name}={_health_url(env, name, host)}" for name in service.depends_on),
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
    """The logins of a service, by store, for those of its stores that this environment has."""
    stores = [store for store in ACCESS if store in service.stores and env.present(store, service.name)]
    return {store: ACCESS[store](env, service) for store in stores}


def credentials(env: Environment, service: Service) -> dict[str, str]:
    """Everything secret that one service needs: logins at its stores, signing key, keys of external providers."""
    values = {"JWT_SECRET": env.secret("service/jwt")}
    if len(keys := env.secrets.accepted("service/jwt")) > 1:  # during a rotation, for tokens that the other key signed
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
    """The same for its migration, which bypasses the pooler: locks and schema changes need their own session."""
    values = credentials(env, service)
    if "DATABASE_URL" in values:
        values |= postgresql(env, service, direct(env))
    return values


def env_file(values: Mapping[str, str]) -> str:
    """Sorted KEY=value lines; OperatorError for a value with more than one line."""
    for key, value in values.items():
        if "\n" in value:
            raise OperatorError(f"the value of {key} for services has more than one line: an env file cannot hold that")
    return "".join(f"{key}={values[key]}\n" for key in sorted(values))


def item_name(env: Environment, stem: str, content: str) -> str:
    """Name of the item of a Docker config or secret with this content: "config NAME" or "secret NAME"."""
    return f"{stem}-{keyed_hash(env, content)}"


def config_item(env: Environment, service: Service) -> tuple[str, str]:
    """Item and content of this checkout's configuration, even if the service went back to an earlier release."""
    text = env_file(config(env, service))
    return item_name(env, f"config {service.name}", text), text


def mounted(env: Environment, service: Service) -> dict[str, tuple[str, str]]:
    """{path in the container: (item, content)} of the configs and secrets of one service.

    The content is empty where only the swarm has it: for the configuration of a release that the service went back to.
    Earlier versions of this project made it a secret; its name tells.
    """
    now, text, authority = released(env, service.name), env_file(credentials(env, service)), env.tls.certificate
    held = f"{'secret' if now.config.startswith(f'{service.name}-config-') else 'config'} {now.config}"
    return {
        CONFIG: (held, "") if now.pinned and now.config else config_item(env, service),
        CREDENTIALS: (item_name(env, f"secret {service.name}-credentials", text), text),
        CA: (item_name(env, "config ca", authority), authority),
    }


def contents(env: Environment, services: Iterable[Service]) -> dict[str, str]:
    """{item: content} of all configs and secrets of services that a run can create."""
    return {item: text for service in services for item, text in mounted(env, service).values() if text}


def _health_url(env: Environment, name: str, host: Callable[[str], str]) -> str:
    return f"http://{host(name)}:{env.catalogue.service(name).port}/health"


def _external(env: Environment, key: str) -> str:
    value = env.secrets.optional(f"external/{key}")
    if value is None:
        raise OperatorError(
            f'service_external_keys names {key}, but the secrets of {env.name} have no "external/{key}": add it there'
        )
    return value

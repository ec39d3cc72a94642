"""The files of Docker Compose: services, stores and routes on one machine, and the script that builds their images."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.generated import from_catalogue, plain
from nexus.environment.settings import Settings
from roles.image.checkout import checkout
from roles.image.recipe import ROUTER, Image, recipe
from roles.router import plan as router
from roles.router.backend import timeout_ms
from roles.service.access import CA
from roles.service.contents import CONFIG, CREDENTIALS, config, credentials, env_file
from roles.service.scale import amounts, size
from roles.service.stack import health_check
from roles.storage import bucket
from runbooks.compose import store
from runbooks.compose.store import Server, servers

FULL, LIMITS = "docker-compose.full.yml", "docker-compose.limits.yml"
SECRETS = "${NEXUS_COMPOSE_SECRETS:?set it to the directory of the secrets, as start.sh does}"
Definition = dict[str, Any]


@dataclass(frozen=True)
class Files:
    """{path: content} of the public files and of the secrets; `programs` are executable."""

    public: Mapping[str, bytes]
    secret: Mapping[str, bytes]
    programs: frozenset[str] = frozenset({"build.sh", "start.sh"})


def files(env: Environment) -> Files:
    """Everything that Compose needs for an environment."""
    env, cooked, stores = _prepared(env)
    parents = cooked[ROUTER].parents
    lineage = _lineage([*cooked.values(), *stores.values()])
    routes = sorted(env.catalogue.routes, key=lambda route: -len(route.path))
    texts = {
        FULL: from_catalogue(plain(full(env, cooked, stores))),
        LIMITS: from_catalogue(plain({"services": dict(_limits(env))})),
        "haproxy.cfg": env.render("compose/haproxy.cfg.j2", routes=routes, timeout_ms=partial(timeout_ms, env)),
        "start.sh": env.render("compose/start.sh.j2", profiles=_profiles(env)),
        "build.sh": _build(env, lineage, parents),
        **{f"config/{name}": env_file(config(env, service)) for name, service in env.catalogue.services.items()},
    }
    contexts = {f"images/{file_of(image)}": image.context for image in lineage if image not in parents}
    return Files({name: text.encode() for name, text in texts.items()} | contexts, secrets(env))


def definition(env: Environment) -> str:
    """docker-compose.full.yml alone: no secret is asked for or made."""
    return from_catalogue(plain(full(*_prepared(env))))


def _prepared(env: Environment) -> tuple[Environment, Mapping[str, Image], Mapping[str, Image]]:
    """The environment as containers see it, the images of services and router, and those of stores."""
    own = Settings({**env.setting, "storage_endpoint": ""})  # the buckets are here, not at another endpoint
    env = replace(env, addresses=store.addresses(env), setting=own)
    images = recipe(env, checkout(env)).images
    return env, images, store.images(env, images[ROUTER].parents)


def secrets(env: Environment) -> dict[str, bytes]:
    """Logins of services, accounts and keys of stores, and the certificate by which they know each other."""
    found = {"ca.pem": env.tls.certificate}
    for name, service in env.catalogue.services.items():
        found[f"{name}.env"] = env_file(credentials(env, service))
    for server in servers(env):
        leaf = env.tls.leaf([server.name, "127.0.0.1"])
        found |= {f"{server.name}.crt": leaf.certificate, f"{server.name}.key": leaf.key}
        found[f"{server.name}.{server.secret}"] = store.accounts(env, server)
    return {name: text.encode() for name, text in found.items()}


def full(env: Environment, images: Mapping[str, Image], stores: Mapping[str, Image]) -> Definition:
    """docker-compose.full.yml: services start once the stores and services that they need are healthy."""
    services = env.catalogue.services
    found = {server.name: _store(env, server, stores[server.name]) for server in servers(env)}
    found |= {name: _service(env, service, images[name]) for name, service in services.items()}
    found["router"] = {
        "image": images[ROUTER].tag,
        "pull_policy": "never",
        "restart": "unless-stopped",
        "ports": [f"{env.setting.compose_address}:{env.setting.compose_port}:{env.setting.router_port}"],
        "configs": [{"source": "haproxy", "target": "/etc/haproxy/haproxy.cfg"}],
        "healthcheck": router.stack(env)["healthcheck"],
    }
    configs = {"haproxy": "haproxy.cfg", **{f"{name}-config": f"config/{name}" for name in services}}
    return {
        "name": "nexus",
        "services": found,
        "networks": {"default": {}},
        "volumes": {f"{server.name}-data": {} for server in servers(env)},
        "configs": {name: {"file": f"./{path}"} for name, path in configs.items()},
        "secrets": {name: {"file": f"{SECRETS}/{path}"} for name, path in _secret_files(env)},
    }


def _secret_files(env: Environment) -> Iterator[tuple[str, str]]:
    """(name of the secret, its file)."""
    yield "ca", "ca.pem"
    for name in env.catalogue.services:
        yield f"{name}-credentials", f"{name}.env"
    for server in servers(env):
        for part in ("crt", "key", server.secret):
            yield f"{server.name}-{part.rpartition('.')[0] or part}", f"{server.name}.{part}"


def _service(env: Environment, service: Service, image: Image) -> Definition:
    healthy = {"condition": "service_healthy"}
    needs = {
        server.name: {**healthy, "required": False} if server.profile else healthy
        for server in store.needed(env, service)
    }
    needs |= dict.fromkeys(service.depends_on, healthy)
    return {
        "image": image.tag,
        "pull_policy": "never",
        "restart": "unless-stopped",
        "stop_grace_period": f"{env.setting.service_stop_seconds}s",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "labels": {"nexus.service": service.name},
        "configs": [{"source": f"{service.name}-config", "target": CONFIG}],
        "secrets": [
            {"source": f"{service.name}-credentials", "target": Path(CREDENTIALS).name},
            {"source": "ca", "target": Path(CA).name},
        ],
        "healthcheck": health_check(env),
        **({"depends_on": needs} if needs else {}),
    }


def _store(env: Environment, server: Server, image: Image) -> Definition:
    parts = {"crt": "tls.crt", "key": "tls.key", server.secret.rpartition(".")[0]: server.secret}
    mounted = [{"source": f"{server.name}-{part}", "target": target} for part, target in parts.items()]
    variables = store.variables(env, server)
    return {
        **({"profiles": [server.profile]} if server.profile else {}),
        "image": image.tag,
        "pull_policy": "never",
        "restart": "unless-stopped",
        "hostname": server.name,
        "stop_grace_period": "60s",
        "volumes": [f"{server.name}-data:{server.directory}/data"],
        "secrets": [*mounted, {"source": "ca", "target": "ca.pem"}],
        "healthcheck": _serves(server),
        **({"environment": variables} if variables else {}),
    }


def _profiles(env: Environment) -> list[str]:
    return sorted({server.profile for server in servers(env)} - {""})


def _serves(server: Server) -> Definition:
    """Servers open their ports once they can serve. MongoDB makes accounts by its own, and then leaves a mark."""
    address = server.name if server.store == bucket.STORE else "127.0.0.1"  # others reach only that of its name
    first = "test -e /tmp/ready && " if server == store.MONGODB else ""
    return {
        "test": ["CMD", "bash", "-c", f"{first}exec 3<>/dev/tcp/{address}/{server.port}"],
        "interval": "30s",
        "timeout": "5s",
        "retries": 3,
        "start_period": "120s",
        "start_interval": "2s",
    }


def _limits(env: Environment) -> Iterator[tuple[str, Definition]]:
    """The override with limits, which not every engine can enforce."""
    for name, service in env.catalogue.services.items():
        yield name, {"deploy": {"resources": {"limits": amounts(size(env, service))}}}


def _lineage(images: list[Image]) -> list[Image]:
    """All images that must be built, parents first."""
    return list({each.tag: each for image in images for each in image.lineage}.values())


def file_of(image: Image) -> str:
    """Name of the file with an image's build context."""
    return image.tag.removeprefix("nexus-cos/").replace(":", "-") + ".tar"


def _build(env: Environment, lineage: list[Image], parents: tuple[Image, ...]) -> str:
    base = parents[0] if parents else None
    about = json.loads(base.context) if base else {}
    built = [image for image in lineage if image not in parents]
    return env.render("compose/build.sh.j2", base=base, recipe=about, images=built, file_of=file_of)

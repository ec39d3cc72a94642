"""The facts of a plan that pages name and hosts must share, as data that can be stored and compared."""

from typing import Any

from nexus.environment.environment import Environment
from roles.service.scale import size

Facts = dict[str, Any]


def facts(env: Environment) -> Facts:
    """{"platform", "hosts": {name: {"address", "groups"}}, "services": {name: {"port", "replicas", ...}}, "routes"}."""
    catalogue = env.catalogue
    platform = catalogue.platform.platform
    return {
        "platform": {"name": platform.name, "version": platform.version},
        "hosts": {host.name: {"address": host.address, "groups": groups(env, host.groups)} for host in env.hosts},
        "services": {
            name: {
                "port": service.port,
                "replicas": size(env, service).replicas,
                "stores": sorted(service.stores),
                "depends on": sorted(service.depends_on),
            }
            for name, service in catalogue.services.items()
        },
        "routes": {route.path: f"{','.join(route.methods) or 'any'} {route.service}" for route in catalogue.routes},
        "stores": {name: [host.name for host in env.group(store.group)] for name, store in catalogue.stores.items()},
    }


def groups(env: Environment, names: frozenset[str]) -> list[str]:
    """Groups of a host that say something about it: neither `all` nor the environment itself."""
    return sorted(names - {"all", env.name})

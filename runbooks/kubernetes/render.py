"""All objects of an environment: a base that follows from the catalogue alone, and what the environment decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from nexus.catalogue import Catalogue, load
from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest
from roles.service.released import released
from roles.service.stack import image
from runbooks.kubernetes import config, graph, policy, route, workload
from runbooks.kubernetes.item import Object, in_environment, item

ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MODES = ("apply", "external")


@dataclass(frozen=True)
class Rendered:
    """The objects of one environment. `secrets` have values, so no file may hold them."""

    environment: str
    base: tuple[Object, ...]
    overlay: tuple[Object, ...]
    secrets: tuple[Object, ...] = ()

    @cached_property
    def everything(self) -> list[Object]:
        """All objects as the cluster gets them, each with the label of the environment."""
        return [in_environment(each, self.environment) for each in (*self.base, *self.secrets, *self.overlay)]


def base(catalogue: Catalogue, dns_namespace: str) -> list[Object]:
    """Namespaces, accounts, addresses and policies between services: the same in every environment."""
    names = graph.namespaces(catalogue)
    standard = {"pod-security.kubernetes.io/enforce": "restricted"}
    found = [item("v1", "Namespace", name, labels=standard) for name in names]
    for name in names:
        found += policy.denials(name, dns_namespace)
    for service in catalogue.services.values():
        place = graph.namespace(catalogue, service)
        found += [workload.account(service, place), workload.address(service, place)]
    return found + policy.between(catalogue)


def overlay(env: Environment) -> list[Object]:
    """What an environment decides: images, sizes, configuration, routes and the policies to the outside."""
    found = [item("v1", "Namespace", graph.GATEWAY_NAMESPACE)] if env.setting.kubernetes_edge == "gateway" else []
    found += config.references(env) if env.setting.kubernetes_secrets == "external" else []
    for service in env.catalogue.services.values():
        place, version = graph.namespace(env.catalogue, service), released(env, service.name).release
        configured = config.config_map(env, service, place)
        about = (env, service, place, image(env, service.name), version, configured["metadata"]["name"])
        job = workload.migration(*about) if service.migration else None
        optional = (job, workload.budget(env, service, place), workload.autoscaler(env, service, place))
        found += [configured, workload.deployment(*about), *(each for each in optional if each)]
        if extra := policy.outside(env, service):
            found.append(extra)
    return found + route.routes(env)


def render(env: Environment, applied: bool = False) -> Rendered:
    """The objects of an environment; `applied` adds the Secrets that a run writes, and their hashes.

    OperatorError for a wrong setting, and for images whose digests nobody knows.
    """
    env = reached(env)
    check_images(env)
    mine = base(env.catalogue, str(env.setting.kubernetes_dns_namespace))
    rest = overlay(env)
    if not applied or env.setting.kubernetes_secrets == "external":
        return Rendered(env.name, tuple(mine), tuple(rest))
    secrets = config.secrets(env)
    known = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in secrets}
    rest = [config.with_hash(env, each, known) if each["kind"] == "Deployment" else each for each in rest]
    return Rendered(env.name, tuple(mine), tuple(rest), tuple(secrets))


def reached(env: Environment) -> Environment:
    """The environment as pods see it: with the stores of kubernetes_stores, and the digests that it sets."""
    setting = env.setting
    if setting.kubernetes_secrets not in MODES:
        raise OperatorError(f'kubernetes_secrets="{setting.kubernetes_secrets}": use one of {", ".join(MODES)}')
    given = {str(name): str(value) for name, value in setting.kubernetes_stores.items()}
    known = [*env.catalogue.stores, "postgresql_direct", "redis_cache"]
    for name, value in given.items():
        if name not in known:
            raise OperatorError(f"kubernetes_stores names {name!r}, which is not a store{nearest(name, known)}")
        for place in value.split(","):
            if not ADDRESS.fullmatch(place):
                raise OperatorError(f"kubernetes_stores[{name!r}] is {place!r}: write HOST:PORT")
    _check_digests(setting.kubernetes_digests, load())  # of all, also those that this environment leaves out
    if setting.storage_endpoint:  # outside of the cluster and of the hosts alike
        given.setdefault("object-storage", f"{setting.storage_endpoint}:{setting.storage_port}")
    addresses = {name: tuple(value.split(",")) for name, value in given.items()}
    return replace(env, addresses=addresses, digests={**env.digests, **setting.kubernetes_digests})


def _check_digests(given: Mapping[str, str], catalogue: Catalogue) -> None:
    for name, digest in given.items():
        if name not in catalogue.services:
            raise OperatorError(f"kubernetes_digests: {name!r} is not a service{nearest(name, catalogue.services)}")
        if not DIGEST.fullmatch(str(digest)):
            raise OperatorError(f"kubernetes_digests: {name} has {digest!r}: write sha256: and 64 hex digits")


def check_images(env: Environment) -> None:
    """OperatorError unless the digest of every image is known, or tags are accepted."""
    unknown = [name for name in env.catalogue.services if not released(env, name).digest]
    if unknown and not env.setting.kubernetes_tags:
        raise OperatorError(
            f"{env.name}: the digests of {len(unknown)} images are not known, such as that of {unknown[0]}. "
            "deploys/kubernetes.py asks the registry for them; kubernetes_digests names them; "
            "kubernetes_tags = True takes images by their tags, which can change"
        )

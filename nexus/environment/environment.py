"""An environment as plain data: its hosts, settings, catalogue, secrets and certificate authority.

Plans are functions of this and of nothing else. `inventory` builds it from the project's files.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from jinja2 import Environment as Jinja

from nexus import project
from nexus.catalogue import Catalogue, CatalogueError, load
from nexus.environment.settings import Keeps, Settings, overlay
from nexus.environment.templates import templates
from nexus.error import OperatorError, nearest
from nexus.pki.ca import Authority
from nexus.secrets.store import LOGINS, Secrets


@dataclass(frozen=True)
class Traits:
    """What a plan must know of a host and cannot choose: read from the host before planning."""

    cpus: int
    memory_bytes: int
    mtu: int
    gpus: int
    architecture: str
    docker: Mapping[str, bool]  # {"memory": ..., "cpu": ...}: whether the host's cgroups can enforce limits


@dataclass(frozen=True)
class Host:
    """One host of the inventory with its merged settings."""

    name: str
    address: str
    groups: frozenset[str]
    setting: Settings = field(repr=False)
    traits: Traits | None = field(default=None, compare=False)  # a probed host still equals itself


@dataclass
class Environment:
    """Everything that plans are made from."""

    name: str
    hosts: tuple[Host, ...]
    setting: Settings
    secrets: Secrets
    root: Path = field(default_factory=project.root)
    digests: Mapping[str, str] = field(default_factory=dict)  # service -> image digest, known after the probe
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # "KIND NAME" -> value, known after the probe
    keeps: Keeps = field(default_factory=dict)  # kind of kept value -> the setting that it adds to
    left_out: frozenset[str] = frozenset()  # hosts that this run continues without; they stay members of their clusters
    prune_data: bool = False  # whether this run drops databases, vhosts and users that are no longer declared
    # store or instance of one -> where services reach it, if they run elsewhere than on hosts of the inventory
    addresses: Mapping[str, tuple[str, ...]] | None = None
    _authorities: dict[str, Authority] = field(default_factory=dict, repr=False)  # shared by all copies

    @cached_property
    def catalogue(self) -> Catalogue:
        """The validated catalogue of this environment, without the services that its settings exclude."""
        try:
            return load().without(self.setting.services_excluded)
        except CatalogueError as error:
            raise OperatorError(f"group_data/catalogue: {error}") from None

    @property
    def services(self) -> Collection[str]:
        """Names of the services that this environment runs; none in a project without a catalogue."""
        return self.catalogue.services if (self.root / "group_data/catalogue").is_dir() else ()

    @cached_property
    def tls(self) -> Authority:
        """The internal CA of this environment."""
        return self.authority("tls", self.name)

    def authority(self, secret: str, name: str) -> Authority:
        """A CA whose key and certificate are below this secret: a client that trusts only it trusts only its leaves."""
        if secret not in self._authorities:
            made: list[Authority] = []

            def create() -> Authority:
                if not made:
                    made.append(Authority.create(name))
                return made[0]

            key = self.secrets.get(f"{secret}/ca-key", lambda: create().key)
            certificate = self.secrets.get(f"{secret}/ca-certificate", lambda: create().certificate)
            period = int(self.setting.certificate_period_seconds)
            self._authorities[secret] = Authority(key, certificate, period)
        return self._authorities[secret]

    def group(self, name: str) -> tuple[Host, ...]:
        """Hosts of a group in the inventory's order; empty if the group has none."""
        return tuple(host for host in self.hosts if name in host.groups)

    def host(self, name: str) -> Host:
        """The host of this name."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = [host.name for host in self.hosts]
        raise OperatorError(f'{self.name} has no host "{name}"{nearest(name, known)}')

    def group_of(self, store: str) -> str:
        """The group whose hosts carry a store, as operations.yaml names it."""
        found = self.catalogue.stores.get(store)
        return found.group if found else store

    def present(self, store: str, service: str = "") -> bool:
        """Whether this environment has the store: a host for it, or an external store, named by the setting
        GROUP_endpoint. An external store is there for services whose key is in the secrets as GROUP/SERVICE/key: for
        this service, or for any service if none is named.
        """
        group = self.group_of(store)
        if self.addresses is not None and store not in self.addresses:
            return False
        if not self.setting.get(f"{group}_endpoint"):
            return self.addresses is not None or bool(self.group(group))
        names = [service] if service else [found.name for found in self.catalogue.services_of_store(store)]
        return any(self.secrets.optional(f"{group}/{name}/key") for name in names)

    @property
    def gateway(self) -> str:
        """Address at which containers reach their own host, the same on every host."""
        return str(IPv4Network(self.setting.gateway_network)[1])

    def store(self, store: str, instance: str = "") -> tuple[str, int]:
        """Address and port at which services reach the store: the proxy on their own host if it has a section for
        the store (setting GROUP_proxy_port), otherwise the external store, or the first host.

        `instance` is the prefix of another server's settings, such as redis_cache. `addresses` override all of this.
        """
        if self.addresses is not None:
            named = self.addresses.get(instance) or self.addresses[store]
            host, _, number = named[0].rpartition(":")
            return host.strip("[]"), int(number)
        group = self.group_of(store)
        prefix = instance or group
        if port := self.setting.get(f"{prefix}_proxy_port"):
            return self.gateway, int(port)
        outside = str(self.setting.get(f"{group}_endpoint") or "")
        return outside or self.group(group)[0].address, int(self.setting[f"{prefix}_port"])

    def secret(self, name: str) -> str:
        """A generated password by its path-like name."""
        return self.secrets.get(name)

    def speaker(self, members: str | tuple[Host, ...]) -> Host:
        """The host that speaks for a cluster, a group or these hosts in this run: the first that is not left out."""
        hosts = self.group(members) if isinstance(members, str) else members
        return next((host for host in hosts if host.name not in self.left_out), hosts[0])

    def logins(self, store: str, service: str) -> list[tuple[str, str]]:
        """Both logins of a service at a store, as (user, password)."""
        user = service.replace("-", "_")
        return [(f"{user}_{which}", self.secret(f"{store}/{service}/{which}")) for which in LOGINS]

    def login(self, store: str, service: str) -> tuple[str, str]:
        """The login that the service uses now."""
        return self.logins(store, service)[LOGINS.index(self.secrets.active(f"{store}/{service}"))]

    def render(self, template: str, **values: Any) -> str:
        """A rendered template from `templates/`, which can use `env` and `setting`; an undefined name is an error."""
        return self._jinja.get_template(template).render(env=self, setting=self.setting, **values)

    @cached_property
    def _jinja(self) -> Jinja:
        return templates(self.root / "templates")

    def with_facts(
        self, hosts: Iterable[Host], digests: Mapping[str, str], kept: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Environment:
        """A copy of the environment with what was learned since: traits of hosts, digests of images, kept values."""
        _ = self.services, self.tls, self._jinja  # loaded here once, so that copies do not load their own
        learned = {host.name: host for host in hosts}
        other = copy.copy(self)
        other.hosts = tuple(learned.get(host.name, host) for host in self.hosts)
        other.digests = digests
        if kept is not None:
            other.kept = kept
            other.setting = overlay(self.setting, kept, self.keeps, self.services)
        return other

"""An environment as plain data: its hosts, settings, catalogue, secrets and certificate authority.

Plans are functions of this and of nothing else. `inventories` makes it from what the project says.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment as Jinja

from roles.kit.authority import Authority
from roles.kit.error import OperatorError, nearest
from roles.kit.keeping import overlay
from roles.kit.secrets import LOGINS, Secrets
from roles.kit.settings import Settings
from roles.kit.templates import templates

if TYPE_CHECKING:
    from roles.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Traits:
    """What a plan must know of a host and cannot choose: read from the host before planning."""

    cpus: int
    memory_bytes: int
    mtu: int
    gpus: int
    architecture: str
    docker: Mapping[str, bool]  # {"memory": ..., "cpu": ...}: can the host's cgroups enforce limits


@dataclass(frozen=True)
class Host:
    """One host of the inventory with its merged settings."""

    name: str
    address: str
    groups: frozenset[str]
    setting: Settings = field(repr=False)
    traits: Traits | None = field(default=None, compare=False)  # a host is the same once it was asked


@dataclass
class Environment:
    """All that plans are made from."""

    name: str
    hosts: tuple[Host, ...]
    setting: Settings
    secrets: Secrets
    root: Path = ROOT
    digests: Mapping[str, str] = field(default_factory=dict)  # service -> image digest, known after the probe
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # "KIND NAME" -> value, known after the probe
    _authorities: dict[str, Authority] = field(default_factory=dict, repr=False)  # shared by all copies

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue that this environment runs, validated, less what its settings exclude."""
        from roles.catalogue import CatalogueError, load

        try:
            return load().without(self.setting.services_excluded)
        except CatalogueError as error:
            raise OperatorError(f"group_data/catalogue: {error}") from None

    @cached_property
    def tls(self) -> Authority:
        """The internal CA of this environment."""
        return self.authority("tls", self.name)

    def authority(self, secret: str, name: str) -> Authority:
        """A CA whose key and certificate lie below this secret: who trusts it alone trusts its leaves alone."""
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
        """Hosts of a group in the inventory's order; empty when the group has none."""
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
        found = self.catalogue.operations.stores.get(store)
        return found.group if found else store

    def present(self, store: str, service: str = "") -> bool:
        """Whether this environment has the store: a host for it, or one elsewhere, which a setting GROUP_endpoint
        names. That one is there for services whose key the secrets hold as GROUP/SERVICE/key: for this service, or
        for any if none is named.
        """
        group = self.group_of(store)
        if not self.setting.get(f"{group}_endpoint"):
            return bool(self.group(group))
        names = [service] if service else [found.name for found in self.catalogue.services_of_store(store)]
        return any(self.secrets.optional(f"{group}/{name}/key") for name in names)

    @property
    def left_out(self) -> frozenset[str]:
        """Hosts that this run goes on without; they stay members of everything they are in."""
        return frozenset(name for name in str(self.setting.without).replace(" ", "").split(",") if name)

    @property
    def gateway(self) -> str:
        """Address under which every host that runs containers is reached from them, the same on each."""
        return str(IPv4Network(self.setting.swarm_gateway_network)[1])

    def store(self, store: str) -> tuple[str, int]:
        """Address and port at which services reach the store: of the proxy on their own host where it has a
        section for it, which a setting GROUP_proxy_port says; else of the one elsewhere, or of the first host.
        """
        group = self.group_of(store)
        if port := self.setting.get(f"{group}_proxy_port"):
            return self.gateway, int(port)
        outside = str(self.setting.get(f"{group}_endpoint") or "")
        return outside or self.group(group)[0].address, int(self.setting[f"{group}_port"])

    def secret(self, name: str) -> str:
        """A generated password by its path-like name."""
        return self.secrets.get(name)

    def logins(self, store: str, service: str) -> list[tuple[str, str]]:
        """Both log-ins of a service at a store, as (user, password)."""
        user = service.replace("-", "_")
        return [(f"{user}_{which}", self.secret(f"{store}/{service}/{which}")) for which in LOGINS]

    def login(self, store: str, service: str) -> tuple[str, str]:
        """The log-in that the service uses now."""
        return self.logins(store, service)[LOGINS.index(self.secrets.active(f"{store}/{service}"))]

    def render(self, template: str, **values: Any) -> str:
        """A template below `templates/`, with `env` and `setting` at hand; an undefined name is an error."""
        return self._jinja.get_template(template).render(env=self, setting=self.setting, **values)

    @cached_property
    def _jinja(self) -> Jinja:
        return templates(self.root / "templates")

    def seen(
        self,
        hosts: Iterable[Host],
        digests: Mapping[str, str],
        kept: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Environment:
        """The same environment with what was learned in between: of some hosts, of images, of what it keeps."""
        _ = self.catalogue, self.tls, self._jinja  # loaded once here, or each copy would load its own
        learned = {host.name: host for host in hosts}
        other = copy.copy(self)
        other.hosts = tuple(learned.get(host.name, host) for host in self.hosts)
        other.digests = digests
        if kept is not None:
            other.kept = kept
            other.setting = overlay(self.setting, kept, self.catalogue.services)
        return other

"""An environment as plain data: its hosts, settings, catalogue, secrets and certificate authority.

Plans are functions of this and of nothing else. Loading reads the inventory and group data of the
project through pyinfra's own rules, so a plan sees exactly the data that a deploy would see.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment as Jinja

from roles.kit import settings
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
            self._authorities[secret] = Authority(key, certificate)
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


def inventory_file(name: str) -> Path:
    """The inventory of an environment; raises OperatorError naming those there are."""
    path = ROOT / "inventory" / f"{name}.py"
    if not path.is_file():
        known = sorted(file.stem for file in (ROOT / "inventory").glob("[!_]*.py"))
        raise OperatorError(
            f'unknown environment "{name}"{nearest(name, known)}\n'
            f"Known: {', '.join(known)}. An environment is a file inventory/NAME.py"
        )
    return path


def load(name: str, data: Mapping[str, Any] | None = None) -> Environment:
    """The environment of this name, without a run: for tests and tools. `data` is what `--data` would give."""
    from gevent import monkey
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state

    patch_all = monkey.patch_all
    monkey.patch_all = lambda *_, **__: None  # importing pyinfra's command line would patch the whole process
    try:
        from pyinfra_cli.inventory import make_inventory
    finally:
        monkey.patch_all = patch_all
    path = inventory_file(name)
    with ctx_state.use(State()):
        inventory = make_inventory(str(path), override_data=dict(data or {}), cwd=str(ROOT))
    return from_inventory(name, inventory)


def from_inventory(name: str, inventory: Any) -> Environment:
    """The environment of an inventory that pyinfra loaded: settings checked, secrets open.

    Raises OperatorError that names everything that is wrong with the settings.
    """
    overrides = inventory.get_override_data()
    where = f"inventory/{name}.py"
    complaints = settings.check(overrides, "--data")
    for group, values in [("all", inventory.get_data()), *inventory.group_data.items()]:
        complaints += settings.check(values, f"group_data/{group}.py")
    hosts = []
    for found in inventory:
        own = inventory.get_host_data(found.name)
        complaints += settings.check(own, f"{where}, host {found.name}")
        groups = first_groups([found], name)
        merged = _merged(inventory, ["all", *groups, name], own, overrides)
        address = merged["address"] or merged.get("ssh_hostname") or found.name
        hosts.append(Host(found.name, address, frozenset(found.groups) | {"all"}, Settings(merged)))
    if complaints:
        raise OperatorError("settings are wrong:\n  " + "\n  ".join(dict.fromkeys(complaints)))
    if not hosts:
        raise OperatorError(f"{where} names no host: put at least one into a group, such as app = [...]")
    everywhere = [
        group for group in first_groups(inventory, name) if all(group in host.groups for host in hosts)
    ]
    setting = Settings(_merged(inventory, ["all", *everywhere, name], {}, overrides))
    known = [host.name for host in hosts]
    for left_out in filter(None, str(setting.without).replace(" ", "").split(",")):
        if left_out not in known:
            raise OperatorError(
                f"without={left_out}: {name} has no such host{nearest(left_out, known)}\n"
                f"Its hosts: {', '.join(known)}"
            )
    return Environment(name, tuple(hosts), setting, _secrets(name, setting))


def first_groups(inventory: Any, name: str) -> list[str]:
    """Groups of the first host, in the order in which their settings override each other."""
    first = next(iter(inventory))
    return [group for group in first.groups if group not in ("all", name)]


def _merged(
    inventory: Any, groups: list[str], own: Mapping[str, Any], overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Defaults, then groups from weak to strong, then the host's own data, then --data."""
    merged = dict(settings.defaults())
    for group in groups:
        merged.update(inventory.get_group_data(group) if group != "all" else inventory.get_data())
    return settings.coerce({**merged, **own, **overrides})


def _secrets(name: str, setting: Settings) -> Secrets:
    path = Path(str(setting.secrets_file).format(environment=name)).expanduser()
    identity = Path(os.environ.get("NEXUS_AGE_IDENTITY") or str(setting.secrets_identity)).expanduser()
    key = ROOT / str(identity).format(environment=name)
    return Secrets(ROOT / path, key, generate=bool(setting.secrets_generate))

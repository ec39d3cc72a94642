"""An environment as the lab sees it: its hosts, from the inventory file, and the places of its files.

It needs no connections, facts or secrets, so it can be read before hosts exist.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any

from nexus import project
from nexus.environment import inventory
from nexus.provider.lab import defaults
from nexus.provider.lab.machine import LabError

PROJECT = project.root()


@dataclass(frozen=True)
class LabHost:
    """A host that the lab creates."""

    name: str
    address: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class LabEnvironment:
    """The hosts of one environment, its directory on the machine and its directory in the checkout."""

    name: str
    hosts: tuple[LabHost, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """The provider of the hosts: "lab", or "ssh" for hosts that already exist."""
        return str(self.settings["provider"])

    @property
    def machine_directory(self) -> Path:
        """The lab's directory outside the checkout, shared by all environments of this machine."""
        return Path(os.environ.get("NEXUS_LAB_DIRECTORY") or self.settings["lab_directory"])

    @property
    def directory(self) -> Path:
        """Roots of this environment's hosts."""
        return self.machine_directory / "environments" / self.name

    @property
    def access(self) -> Path:
        """Directory of what a user needs to reach the hosts: key, known hosts, ssh_config."""
        return PROJECT / ".lab" if self.name == "lab" else PROJECT / ".lab" / self.name

    def host(self, name: str) -> LabHost:
        """The host of that name; LabError lists the known hosts if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = [host.name for host in self.hosts]
        raise LabError(f"{self.name} has no host {name!r}: its hosts are {', '.join(names)}")


def load(name: str | None = None) -> LabEnvironment:
    """The environment of that name, or of an inventory file; NEXUS_ENV, then `lab`, if no name is given."""
    name = name or os.environ.get("NEXUS_ENV") or "lab"
    path = Path(name) if name.endswith(".py") else inventory.file_of(name)
    if not path.is_file():
        raise LabError(f"inventory {path} does not exist")
    hosts, settings = inventory.hosts_of(path.stem, inventory.read(path))
    found = (LabHost(host.name, host.address, tuple(sorted(host.groups - {"all", path.stem}))) for host in hosts)
    return LabEnvironment(path.stem, tuple(found), settings)


def check_addresses(environment: LabEnvironment) -> None:
    """LabError unless all addresses are distinct and in the lab's own network."""
    taken: dict[str, str] = {}
    for host in environment.hosts:
        try:
            fits = IPv4Address(host.address) in defaults.NETWORK and IPv4Address(host.address) != defaults.GATEWAY
        except AddressValueError:
            fits = False
        where = f"inventory of {environment.name}: host {host.name} has address {host.address}"
        if not fits:
            raise LabError(f"{where}, but the lab has {defaults.NETWORK} except {defaults.GATEWAY}")
        if host.address in taken:
            raise LabError(f"{where}, and so has {taken[host.address]}: give each host its own")
        taken[host.address] = host.name

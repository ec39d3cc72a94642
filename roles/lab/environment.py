"""An environment as the lab sees it: its hosts, from the inventory file, and where its files lie.

Not pyinfra's view of it: no connections and no facts, so that it can be read before there are hosts.
"""

from __future__ import annotations

import difflib
import os
import runpy
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any

from roles.lab import defaults
from roles.lab.machine import LabError

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LabHost:
    """A host that the lab makes."""

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
        """Who makes the hosts: "lab", or "ssh" for hosts that are simply there."""
        return str(self.settings["provider"])

    @property
    def machine_directory(self) -> Path:
        """Everything of the lab that is not the checkout's: shared by all environments of this machine."""
        return Path(os.environ.get("NEXUS_LAB_DIRECTORY") or self.settings["lab_directory"])

    @property
    def directory(self) -> Path:
        """Roots of this environment's hosts."""
        return self.machine_directory / "environments" / self.name

    @property
    def access(self) -> Path:
        """What a user needs to reach the hosts: key, known hosts, ssh_config, hosts.json."""
        return PROJECT / ".lab" if self.name == "lab" else PROJECT / ".lab" / self.name

    def host(self, name: str) -> LabHost:
        """The host of that name; LabError with the nearest names when there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = [host.name for host in self.hosts]
        raise LabError(f"{self.name} has no host {name!r}: its hosts are {', '.join(names)}")


def load(name: str | None = None) -> LabEnvironment:
    """The environment of that name, or of an inventory file; NEXUS_ENV, then `lab`, when none is given."""
    name = name or os.environ.get("NEXUS_ENV") or "lab"
    path = Path(name) if name.endswith(".py") else PROJECT / "inventory" / f"{name}.py"
    if not path.is_file():
        raise LabError(_unknown(name, path))
    inventory = _run(path)
    settings = _settings(path.stem, inventory)
    return LabEnvironment(path.stem, _hosts(inventory, path), settings)


def _run(path: Path) -> dict[str, Any]:
    """The names that a file of the project defines; LabError with the line where it cannot be run."""
    try:
        return runpy.run_path(str(path))
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 0
        reason = error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        raise LabError(f"{path}:{line}: this line cannot be run: {reason}") from None


def _unknown(name: str, path: Path) -> str:
    known = sorted(file.stem for file in (PROJECT / "inventory").glob("*.py") if file.stem != "__init__")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown environment {name!r}: there is no {path}{hint}; known: {', '.join(known)}"


def _hosts(inventory: Mapping[str, Any], path: Path) -> tuple[LabHost, ...]:
    """Hosts in the order of the file, with every group they are in."""
    groups: dict[str, list[str]] = {}
    addresses: dict[str, str] = {}
    for group, members in inventory.items():
        if group.startswith("_") or not isinstance(members, list):
            continue
        for member in members:
            name, data = member if isinstance(member, tuple) else (member, {})
            groups.setdefault(name, []).append(group)
            if "address" in data:
                addresses[name] = data["address"]
    if missing := sorted(set(groups) - set(addresses)):
        raise LabError(f"{path}: host {missing[0]} of group {groups[missing[0]][0]} has no address")
    if len(set(addresses.values())) < len(addresses):
        raise LabError(f"{path}: two hosts have the same address: {addresses}")
    return tuple(LabHost(name, addresses[name], tuple(groups[name])) for name in groups)


def check_addresses(environment: LabEnvironment) -> None:
    """The lab can only give out addresses of its own network."""
    for host in environment.hosts:
        try:
            fits = (
                IPv4Address(host.address) in defaults.NETWORK
                and IPv4Address(host.address) != defaults.GATEWAY
            )
        except AddressValueError:
            fits = False
        if not fits:
            raise LabError(
                f"inventory of {environment.name}: host {host.name} has address {host.address},"
                f" but the lab has {defaults.NETWORK} without {defaults.GATEWAY}"
            )


def _settings(name: str, inventory: Mapping[str, Any]) -> dict[str, Any]:
    """The lab's settings: defaults, group_data/all.py, the environment's own file.

    An inventory file that is no environment of the project, a test's, carries its settings itself.
    """
    settings = {key: value for key, value in vars(defaults).items() if key.startswith("lab_")}
    settings["provider"] = "ssh"
    sources = [inventory]
    for file in (PROJECT / "group_data" / f"{name}.py", PROJECT / "group_data" / "all.py"):
        if file.is_file():
            sources.insert(0, _run(file))
    for source in sources:
        settings |= {key: value for key, value in source.items() if key in settings}
    return settings

"""From what an operator wants to the files of an environment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from nexus import project
from nexus.catalogue.catalogue import load
from nexus.error import OperatorError
from nexus.provider.lab import defaults as lab
from nexus.transport import sudo
from nexus.transport.ssh_config import target
from nexus.workstation import own_name
from roles.service.machine import Machine
from runbooks.environment import fit, layout, text
from runbooks.environment.fit import Line
from runbooks.environment.layout import Group
from runbooks.environment.wanted import Given, Size, Wanted

USER = "deploy"
LAB_FIRST = 151  # last number of the first address that this command gives in the lab's network


def reachable(wanted: Wanted) -> Wanted:
    """The same with addresses of all hosts, and with the user of the operator's ssh configuration."""
    names = [host.name for host in wanted.hosts]
    if any(names) and not all(names):
        raise OperatorError("some hosts have names and others do not: give all of them names, as NAME=ADDRESS")
    if wanted.provider == "lab":
        return replace(wanted, hosts=tuple(_in_lab(wanted)))
    if wanted.provider == "aws":
        return wanted
    hosts = tuple(replace(host, address=host.address or _address(wanted, host)) for host in wanted.hosts)
    return replace(wanted, hosts=hosts, ssh_user=wanted.ssh_user or _user(wanted), ssh_key=_below_home(wanted.ssh_key))


def named(wanted: Wanted) -> Wanted:
    """The same with a name for every host."""
    if all(host.name for host in wanted.hosts):
        return wanted
    names = layout.names(len(wanted.hosts))
    return replace(wanted, hosts=tuple(replace(h, name=n) for h, n in zip(wanted.hosts, names, strict=True)))


def texts(wanted: Wanted, sizes: Mapping[str, Size], more: Sequence[Line] = ()) -> dict[Path, str]:
    """{path: text} of a complete environment whose hosts have these sizes; `more` are settings that hosts asked for."""
    names = [host.name for host in wanted.hosts]
    groups = layout.groups(names, wanted.mongodb, storage=wanted.provider != "aws")
    machines = [_machine(name, groups, sizes) for name in names if name in sizes]
    lines = [*_settings(wanted), *more]
    if wanted.provider != "lab" and machines:
        lines += [*fit.sizes(load(), machines), *fit.shares(machines)]
    calls = {host.name: _call(wanted, host, sizes) for host in wanted.hosts}
    return {
        Path(f"inventory/{wanted.name}.py"): text.inventory(wanted, calls, groups),
        Path(f"group_data/{wanted.name}.py"): text.group_data(wanted, lines),
    }


def stated(wanted: Wanted) -> dict[str, Size]:
    """{host: size} as given, by the first tier that a host is in; empty if no sizes were given."""
    if not wanted.sizes:
        return {}
    groups = {g.name: g.hosts for g in layout.groups([host.name for host in wanted.hosts], wanted.mongodb)}
    found = {}
    for host in wanted.hosts:
        tiers = [tier for tier in layout.TIERS if host.name in groups[tier]]
        sizes = [wanted.sizes[tier] for tier in (*tiers, "") if tier in wanted.sizes]
        if not sizes:
            raise OperatorError(
                f"no size for {host.name}: add one for {tiers[0]}, or one for all others: SIZES=...,4x16"
            )
        found[host.name] = sizes[0]
    return found


def _settings(wanted: Wanted) -> Iterator[Line]:
    reasons = {"ssh": "the hosts exist", "lab": "on this machine", "aws": "`make provision` makes the hosts there"}
    yield Line("provider", wanted.provider, reasons[wanted.provider])
    yield Line("domain", wanted.domain, "api.DOMAIN, www.DOMAIN; certificates name it")
    if wanted.provider == "lab":
        for name, file in (("secrets_file", "secrets.age"), ("secrets_identity", "age.key"), ("ca_file", "ca.pem")):
            yield Line(name, f".lab/{wanted.name}/{file}", "with the lab's other files; it is gone with them")
        return
    yield Line("ca_file", f"reports/ca-{wanted.name}.pem", "the internal CA, for clients; a run writes it")
    if wanted.provider == "ssh" and wanted.ssh_user != USER:
        yield Line("base_user", wanted.ssh_user, "as ssh_user in the inventory: SSH admits only this user")
    if wanted.sudo_password:
        yield asks_password("hosts")


def asks_password(where: str) -> Line:
    """The setting for a sudo that asks for a password."""
    return Line(sudo.SETTING, True, f"on {where}; {sudo.VARIABLE} has it where no terminal is")


def _machine(name: str, groups: Sequence[Group], sizes: Mapping[str, Size]) -> Machine:
    mine = frozenset(group.name for group in groups if name in group.hosts)
    return Machine(name, mine, sizes[name].cpus, sizes[name].memory_bytes)


def _call(wanted: Wanted, host: Given, sizes: Mapping[str, Size]) -> str:
    if wanted.provider == "aws":
        size = sizes[host.name]
        return text.host(host.name, capacity_cpus=int(size.cpus), capacity_memory_bytes=size.memory_bytes)
    if wanted.provider == "lab":
        return text.host(host.name, host.address)
    port = target(host.place, wanted.ssh_config or None).port
    more: dict[str, Any] = {"ssh_port": port} if port not in (0, 22) else {}  # the firewall opens it
    return text.host(host.name, host.address, *([host.place] if host.place != host.address else []), **more)


def _address(wanted: Wanted, host: Given) -> str:
    found = target(host.place, wanted.ssh_config or None).hostname
    if not re.fullmatch(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:]+", found):
        raise OperatorError(
            f"host {host.place}: at which address do other hosts reach it? HOSTS={host.name}={host.place}/ADDRESS"
        )
    return found


def _user(wanted: Wanted) -> str:
    """The user of ssh's configuration; ssh names the operator's own if there is none."""
    users = {target(host.place, wanted.ssh_config or None).user for host in wanted.hosts} - {"", own_name()}
    if len(users) > 1:
        raise OperatorError(
            f"ssh's configuration has several users ({', '.join(sorted(users))}): name one, SSH_USER=..."
        )
    return users.pop() if users else USER


def _below_home(path: str) -> str:
    """A path that means the same file for every operator."""
    home = Path.home()
    return f"~/{Path(path).relative_to(home)}" if path and Path(path).is_relative_to(home) else path


def _in_lab(wanted: Wanted) -> Iterator[Given]:
    """Hosts with free addresses of the lab's network where none are given."""
    own = project.root() / f"inventory/{wanted.name}.py"
    others = [path.read_text() for path in own.parent.glob("*.py") if path != own]
    taken = {found for other in others for found in re.findall(r"\d+\.\d+\.\d+\.\d+", other)}
    taken |= {host.place for host in wanted.hosts}
    network = [str(IPv4Address(int(lab.NETWORK[0]) + number)) for number in range(LAB_FIRST, 255)]
    free = iter([address for address in network if address not in taken])
    for host in wanted.hosts:
        address = host.address or next(free, "")
        if not address:
            raise OperatorError(f"the lab's network has no {len(wanted.hosts)} free addresses: name fewer hosts")
        yield replace(host, place=address, address=address)

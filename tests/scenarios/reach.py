"""Which ports of an environment's hosts can be reached, from everywhere, and which the declared flows say."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from control import Control

from nexus.provider.lab.defaults import GATEWAY6, address6
from nexus.provider.lab.machine import run
from nexus.run.flow import CONTAINERS, OPERATORS, SELF, WORLD, Entry, matrix
from roles.table import ROLES

SECONDS = 1.5  # after which a connection counts as dropped
RANDOM_PORTS = 200
DATAGRAM_PORTS, DATAGRAM_SECONDS = 20, 8
OUTSIDE = "outside"
NETWORK = "{{.State.Pid}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
NETWORKS = f"sudo docker ps -q | xargs sudo docker inspect --format '{NETWORK}'"
Door = tuple[str, int]  # host, port


@dataclass(frozen=True)
class Place:
    """Where connections come from: a host, or one of its containers, or (without a host) this machine."""

    name: str
    host: str = ""
    process: int = 0


@dataclass
class Reach:
    """The ports to ask for are the declared ones and, on each host, some that no role declares."""

    control: Control
    chance: random.Random
    random_ports: int = RANDOM_PORTS
    entries: list[Entry] = field(init=False)
    declared: set[int] = field(init=False)
    ports: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.entries = matrix(self.control.planned, ROLES)
        self.declared = {entry.flow.port for entry in self.entries}
        self.ports = {name: sorted({*self.declared, *self._others(self.random_ports)}) for name in self.control.names}

    def _others(self, count: int) -> list[int]:
        """Ports that no role declares, below those that the kernel gives to clients."""
        return self.chance.sample(sorted(set(range(1024, 32768)) - self.declared), count)

    def places(self) -> list[Place]:
        """This machine, every host, and on each host with containers one of every network."""
        found = [Place(OUTSIDE), *(Place(name, name) for name in self.control.names)]
        for name in {*self.control.group("app"), *self.control.group("edge")}:
            networks = dict[str, int]()
            for line in self.control.ssh(name, NETWORKS).splitlines():
                process, *kinds = line.split()
                for kind in kinds:
                    networks.setdefault(kind, int(process))
            found += [Place(f"container on {name} in {kind}", name, process) for kind, process in networks.items()]
        return found

    def differences(self, hosts: Sequence[str] = ()) -> list[str]:
        """What arrives although no flow says so, and what does not although one does, at these hosts or at all."""
        targets = list(hosts or self.control.names)
        with ThreadPoolExecutor(4) as pool:
            return [each for found in pool.map(lambda place: self._of(place, targets), self.places()) for each in found]

    def _of(self, place: Place, targets: Iterable[str]) -> list[str]:
        others = [name for name in targets if name != place.host or place.process]
        found = list[str]()
        for version in versions(place):
            address = {self._address(name, version): name for name in others}
            doors = [(each, port) for each, name in address.items() for port in self.ports[name]]
            there = {(address[each], port) for each, port in self._arrives(place, doors)}
            asked = [(name, port) for name in others for port in self.ports[name]]
            planned = {(name, port) for name, port in asked if self._planned(place, name, port, version)}
            found += [_words(place, door, version, "arrives, and no flow says so") for door in sorted(there - planned)]
            found += [_words(place, door, version, "does not arrive") for door in sorted(planned - there)]
        return found

    def _arrives(self, place: Place, doors: Sequence[Door]) -> list[Door]:
        asked = {"doors": doors, "container": place.process, "seconds": SECONDS}
        if place.host:
            found: list[Any] = self.control.ask(place.host, "reach.py", asked, seconds=300)
        else:
            found = self.control.ask_here("reach.py", asked)
        return [(address, port) for address, port in found]

    def _planned(self, place: Place, target: str, port: int, version: int) -> bool:
        for entry in self.entries:
            flow = entry.flow
            if target not in entry.targets or (flow.protocol, flow.port) != ("tcp", port) or flow.source == SELF:
                continue
            open_to_all = flow.source in (WORLD, OPERATORS)  # no operators' networks are named in the lab
            if open_to_all or (version == 4 and self._sent_by(place, target, entry)):
                return True
        return False

    def _sent_by(self, place: Place, target: str, entry: Entry) -> bool:
        if place.process and place.host == target:
            return entry.flow.source == CONTAINERS
        if entry.flow.source == CONTAINERS:
            return place.host in {*self.control.group("app"), *self.control.group("edge")}
        return place.host in entry.sources

    def _address(self, name: str, version: int) -> str:
        address = self.control.lab.host(name).address
        return address if version == 4 else str(address6(address))

    def datagrams(self) -> dict[str, dict[str, list[str]]]:
        """{host: {port: senders}} of datagrams to ports that no role declares, with both versions of IP."""
        addresses = [self._address(name, version) for name in self.control.names for version in (4, 6)]
        asked = {"ports": self._others(DATAGRAM_PORTS), "addresses": addresses, "seconds": DATAGRAM_SECONDS}
        return self.control.everywhere(lambda name: self.control.ask(name, "datagrams.py", {**asked, "name": name}))


def versions(place: Place) -> tuple[int, ...]:
    """Versions of IP that a place has: containers have IPv4 alone, and so may this machine."""
    if place.process or (not place.host and str(GATEWAY6) not in run("ip", "-6", "address", "show").stdout):
        return (4,)
    return (4, 6)


def _words(place: Place, door: Door, version: int, what: str) -> str:
    return f"{place.name} to port {door[1]} of {door[0]} by IPv{version}: {what}"

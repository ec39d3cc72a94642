"""The environment's hosts, each looked at once, all at the same time; checks only compare after that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hosts import look, question
from hosts.connection import Connection, machine
from hosts.item import Item, items, plans
from hosts.look import Seen
from hosts.remote import port
from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired
from roles.table import ROLES


@dataclass(repr=False)
class Fleet:
    """What is planned and what was found, of every host."""

    env: Environment
    connections: dict[str, Connection] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # host -> why it could not be looked at
    planned: dict[str, dict[str, Desired]] = field(default_factory=dict)  # host -> role -> plan
    wanted: dict[Item, Any] = field(default_factory=dict)
    checked: set[Item] = field(default_factory=set)  # by checks that are not made from one item each
    from_here: dict[str, dict[int, str]] = field(default_factory=dict)  # edge -> port -> how it answers this machine
    _machines: dict[str, Any] = field(default_factory=dict)  # each knows its kind of system once it was asked
    _seen: dict[str, Seen] = field(default_factory=dict)
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def seen(self, host: str) -> Seen:
        """What the look at a host found; the check fails where there was none."""
        if host in self.problems:
            pytest.fail(f"{host}: {self.problems[host]}", pytrace=False)
        return self._seen[host]

    def machine(self, host: str) -> Any:
        """A host as testinfra's modules see it; the check fails where it could not be looked at."""
        self.seen(host)
        return self._machines.setdefault(host, machine(self.connections[host]))

    def answer(self, host: str, part: str) -> Any:
        """What a host answered to one part of its question; the check fails where it could not."""
        self.seen(host)
        reply = self._answers[host][part]
        if "error" in reply:
            pytest.fail(f"{host}: {part} could not be asked: {reply['error']}", pytrace=False)
        return reply["answer"]

    def web(self, host: str, name: str) -> dict[str, Any]:
        """How a host's own HTTP request of this name was answered; the check fails where it was not."""
        reply: dict[str, Any] = self.answer(host, "web")[name]
        if "error" in reply:
            pytest.fail(f"{host}: {name}: {reply['error']}", pytrace=False)
        return reply

    def want(self, item: Item) -> Any:
        """What the plan wants of an item, as of now."""
        if item.host in self.problems:
            pytest.fail(f"{item.host}: {self.problems[item.host]}", pytrace=False)
        if item not in self.wanted:
            pytest.fail(f"{item.host}: {item.kind} {item.name} is no longer planned", pytrace=False)
        return self.wanted[item]

    def items(self, host: str, kind: str, prefix: str = "") -> list[Item]:
        """Items of a kind that are planned now, for checks of what was not planned yet when checks were collected.

        Such a check adds them to `checked`.
        """
        return [item for item in self.wanted if (item.host, item.kind) == (host, kind) and item.name.startswith(prefix)]

    @property
    def reached(self) -> dict[str, bool]:
        """Whether each edge host is reached from this machine, not only over SSH."""
        https = {host.name: int(host.setting.nginx_https_port) for host in self.env.group("edge")}
        return {name: self.from_here.get(name, {}).get(port) == "open" for name, port in https.items()}

    def close(self) -> None:
        """Close all connections."""
        for connection in self.connections.values():
            connection.close()


def look_at(env: Environment) -> Fleet:
    """Connect to all hosts and look at each; what fails on one is kept as its problem."""
    fleet = Fleet(env)
    with ThreadPoolExecutor(len(env.hosts) + 1) as pool:

        def everywhere(work: Callable[[Fleet, Host], Any]) -> dict[str, Any]:
            there = [host for host in fleet.env.hosts if host.name not in fleet.problems]
            found = zip(there, pool.map(lambda host: _attempt(fleet, host, work), there), strict=True)
            return {host.name: result for host, result in found if host.name not in fleet.problems}

        outside = pool.submit(_from_here, fleet)
        traits = everywhere(_connect)
        known = [replace(host, traits=traits.get(host.name)) for host in env.hosts]
        fleet.env = env.with_facts(known, {})
        fleet.planned = {host.name: plans(fleet.env, host) for host in known}
        _freeze(fleet)
        fleet._seen = everywhere(_look)
        fleet._answers = everywhere(_ask)
        fleet.from_here = outside.result()
    _plan_with_digests(fleet)
    for host in fleet.env.hosts:
        fleet.wanted |= items(host, fleet.planned[host.name].values())
    return fleet


def digests(fleet: Fleet) -> Mapping[str, str]:
    """Digest of each service's image as the registry answers it."""
    found = {}
    for answers in fleet._answers.values():
        for name, reply in answers.get("web", {}).get("answer", {}).items():
            if name.startswith("release of image ") and reply.get("status") == 200:
                found[name.removeprefix("release of image ")] = reply["headers"]["docker-content-digest"]
    return found


def _plan_with_digests(fleet: Fleet) -> None:
    """Services are planned with the digests of their images, which only the registry knows, and as released."""
    fleet.env = fleet.env.with_facts(fleet.env.hosts, digests(fleet), _kept(fleet))
    for host in fleet.env.hosts:
        for role in ROLES.needing("kept") & set(fleet.planned[host.name]):
            fleet.planned[host.name][role] = plans(fleet.env, host, (role,))[role]


def _kept(fleet: Fleet) -> dict[str, Any]:
    """What the environment keeps in its swarm; nothing where no manager answers."""
    keeper = ROLES.teller("kept", fleet.env)
    if keeper is None or keeper in fleet.problems:
        return {}
    script = "docker config inspect nexus-environment 2>/dev/null || true"
    found = json.loads(fleet.connections[keeper].feed("sh -s", script) or "[]")
    labels = [pair for config in found for pair in config["Spec"]["Labels"].items()]
    return {name: json.loads(text) for name, text in labels if " " in name}  # "KIND NAME"


def _freeze(fleet: Fleet) -> None:
    """Load what threads would otherwise load side by side."""
    _ = fleet.env.catalogue, fleet.env.secrets.names()


def _attempt(fleet: Fleet, host: Host, work: Callable[[Fleet, Host], Any]) -> Any:
    try:
        return work(fleet, host)
    except Exception as error:
        what = "does not answer" if work is _connect else "could not be looked at"
        fleet.problems[host.name] = f"{what}: {type(error).__name__}: {error}"
        return None


def _from_here(fleet: Fleet) -> dict[str, dict[int, str]]:
    """How the router's ports of each edge host, and its HTTPS port, answer this machine."""
    found: dict[str, dict[int, str]] = {}
    for host in fleet.env.group("edge"):
        address = str(dict(host.setting).get("ssh_hostname") or host.address)
        ports = [*question.router_ports(host), int(host.setting.nginx_https_port)]
        told = port.ask({"ports": [(address, number) for number in ports]})
        found[host.name] = {number: told[f"{address}:{number}"] for number in ports}
    return found


def _connect(fleet: Fleet, host: Host) -> Any:
    connection = fleet.connections[host.name] = Connection(host)
    return look.read_traits(connection.feed("sh -s", look.TRAITS))


def _look(fleet: Fleet, host: Host) -> Seen:
    planned = fleet.planned[host.name].values()
    paths = [item.path for plan in planned for item in (*plan.early, *plan.files, *plan.directories, *plan.links)]
    paths += [path for plan in planned for path in plan.absent]
    paths += [path for plan in planned for unit in plan.units for path in (*unit.restart_on, *unit.reload_on)]
    units = list(dict.fromkeys(unit.name for plan in planned for unit in plan.units))
    text = look.script(paths, units)
    return look.read(fleet.connections[host.name].feed("sh -s", text), units)


def _ask(fleet: Fleet, host: Host) -> dict[str, Any]:
    requests = question.requests(fleet.env, host, fleet.planned)
    output = fleet.connections[host.name].feed(question.COMMAND, question.program(requests))
    answers: dict[str, Any] = json.loads(output)
    return answers

"""The flows that roles declare in flows.py, resolved to the hosts of an environment.

Firewalls, security groups, network policies, documents and scrapes are made from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nexus.environment import settings
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.role import Roles

VRRP = 112  # number of the protocol of IP by which hosts share an address; it has no ports
ENGINE_GROUPS = frozenset({"app", "edge"})  # hosts with containers of services
WORLD, OPERATORS, CONTAINERS, SELF = "world", "operators", "containers", "self"
SOURCES = {
    WORLD: "clients anywhere",
    OPERATORS: "machines that runs are started on",
    CONTAINERS: "containers of services; they leave with the address of their host",
    SELF: "the same host, over loopback or its own address",
}


@dataclass(frozen=True)
class Flow:
    """Connections from a source to one port: `source` is a group of the inventory or one of SOURCES.

    They go to hosts of the group `to`, or only to those in `only`. `protocol` is tcp, udp, or vrrp (port: VRRP).
    `setting` names the port's setting; it is empty if the port is fixed.
    """

    source: str
    to: str
    port: int
    why: str
    protocol: str = "tcp"
    setting: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A role's flow with the names of its hosts; `sources` is empty if the flow's source is one of SOURCES."""

    role: str
    flow: Flow
    sources: tuple[str, ...]
    targets: tuple[str, ...]


def flow(env: Environment, source: str, to: str, setting: str, why: str, only: tuple[str, ...] = ()) -> Flow:
    """Return a flow to the port in a setting."""
    return Flow(source, to, int(env.setting[setting]), why, setting=setting, only=only)


def matrix(env: Environment, roles: Roles) -> list[Entry]:
    """Return all flows of an environment, by role; OperatorError if a role listens on a port without a flow."""
    declared = {role: list(module.flows(env)) for role, module in roles.bringing("flows").items()}
    for role in roles:
        if roles.hosts(role, env):
            _check(role, {found.setting for found in declared.get(role, [])})
    return [entry for role, flows in declared.items() for entry in _entries(env, role, flows)]


def _check(role: str, named: set[str]) -> None:
    if missing := sorted(settings.of_role(role, "_port") - named):
        raise OperatorError(
            f"role {role} listens on {', '.join(missing)}, and its flows.py does not say who connects there: add a flow"
        )


def _entries(env: Environment, role: str, flows: list[Flow]) -> Iterator[Entry]:
    for found in flows:
        targets = tuple(host.name for host in env.group(found.to) if not found.only or host.name in found.only)
        sources = () if found.source in SOURCES else tuple(host.name for host in env.group(found.source))
        if targets and (sources or found.source in SOURCES):
            yield Entry(role, found, sources, targets)

"""The rules of one host, from the flows of all roles."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.flow import CONTAINERS, OPERATORS, SELF, WORLD, Entry, matrix
from roles.table import ROLES

ENGINE_GROUPS = {"app", "edge"}  # hosts with containers of services


@dataclass(frozen=True)
class Rule:
    """Connections to a port that arrive: from these networks, from anywhere, or from this host's containers."""

    protocol: str
    port: int
    networks: tuple[str, ...]
    anywhere: bool
    containers: bool
    why: str

    def matches(self) -> Iterator[str]:
        """Conditions on the sender in nftables's words, one of which must hold."""
        if self.anywhere:
            yield ""
            return
        for family, version in (("ip", 4), ("ip6", 6)):
            own = [each for each in self.networks if ip_network(each, strict=False).version == version]
            if own:
                yield f"{family} saddr {{ {', '.join(own)} }} "
        if self.containers:
            yield "iifname @containers "


def rules(env: Environment, host: Host) -> list[Rule]:
    """One rule for each port of a host that others may reach."""
    by_port: dict[tuple[str, int], list[Entry]] = {}
    for entry in matrix(env, ROLES):
        if host.name in entry.targets and entry.flow.source != SELF:
            by_port.setdefault((entry.flow.protocol, entry.flow.port), []).append(entry)
    return [_rule(env, protocol, port, found) for (protocol, port), found in sorted(by_port.items())]


def _rule(env: Environment, protocol: str, port: int, found: Iterable[Entry]) -> Rule:
    networks: dict[str, None] = {}
    sources = {entry.flow.source for entry in found}
    for entry in found:
        networks |= dict.fromkeys(env.host(name).address for name in entry.sources)
    operators = list(env.setting.firewall_operator_networks)
    if CONTAINERS in sources:  # they leave with the address of their host
        networks |= {each.address: None for each in env.hosts if each.groups & ENGINE_GROUPS}
    if OPERATORS in sources:
        networks |= dict.fromkeys(operators)
    anywhere = WORLD in sources or (OPERATORS in sources and not operators)
    why = "; ".join(dict.fromkeys(f"{entry.role}: {entry.flow.why}" for entry in found))
    return Rule(protocol, port, tuple(sorted(networks, key=_order)), anywhere, CONTAINERS in sources, why)


def _order(network: str) -> tuple[int, int, int]:
    found = ip_network(network, strict=False)
    return found.version, int(found.network_address), found.prefixlen


def check(env: Environment) -> None:
    """OperatorError for a network or an address that no rule can name."""
    for network in env.setting.firewall_operator_networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise OperatorError(
                f'firewall_operator_networks has "{network}": {error}. Write networks such as "203.0.113.0/24"'
            ) from None
    for host in env.hosts:
        try:
            ip_address(host.address)
        except ValueError:
            raise OperatorError(
                f"{host.name}: its address is {host.address}, and a firewall needs a number: write the IP address as "
                "`address` in the inventory"
            ) from None

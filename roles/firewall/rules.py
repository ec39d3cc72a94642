"""The rules of one host, from the flows of all roles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.flow import CONTAINERS, ENGINE_GROUPS, OPERATORS, SELF, VRRP, WORLD, Entry, matrix
from roles.table import ROLES


@dataclass(frozen=True)
class Rule:
    """Connections to a port that arrive: from these networks, from anywhere, or from this host's containers."""

    protocol: str
    port: int
    networks: tuple[str, ...]
    anywhere: bool
    containers: bool
    why: str

    @property
    def arrives(self) -> str:
        """The connections themselves in nftables's words."""
        return f"ip protocol {VRRP}" if self.protocol == "vrrp" else f"{self.protocol} dport {self.port}"

    def matches(self) -> Iterator[str]:
        """Conditions on the sender in nftables's words, one of which must hold."""
        if self.anywhere:
            yield ""
            return
        yield from sent_by(self.networks)
        if self.containers:
            yield "iifname @containers "


def sent_by(networks: Sequence[str]) -> Iterator[str]:
    """Conditions that a packet comes from these networks, for each version of IP."""
    for family, version in (("ip", 4), ("ip6", 6)):
        own = [each for each in networks if ip_network(each, strict=False).version == version]
        if own:
            yield f"{family} saddr {{ {', '.join(own)} }} "


def from_hosts(env: Environment) -> list[str]:
    """Conditions that a packet comes from a host of the environment."""
    return list(sent_by([host.address for host in env.hosts]))


def rules(env: Environment, host: Host) -> list[Rule]:
    """One rule for each port of a host that others may reach."""
    by_port: dict[tuple[str, int], list[Rule]] = {}
    declared = (entry for entry in matrix(env, ROLES) if host.name in entry.targets and entry.flow.source != SELF)
    for rule in (*(_declared(env, entry) for entry in declared), *allowed(env, host)):
        by_port.setdefault((rule.protocol, rule.port), []).append(rule)
    return [_one(found) for _, found in sorted(by_port.items())]


def _declared(env: Environment, entry: Entry) -> Rule:
    networks, source = [env.host(name).address for name in entry.sources], entry.flow.source
    operators = env.setting.firewall_operator_networks
    if source == CONTAINERS:  # they leave with the address of their host
        networks += [each.address for each in env.hosts if each.groups & ENGINE_GROUPS]
    if source == OPERATORS:
        networks += operators
    anywhere = source == WORLD or (source == OPERATORS and not operators)
    why = f"{entry.role}: {entry.flow.why}"
    return Rule(entry.flow.protocol, entry.flow.port, tuple(networks), anywhere, source == CONTAINERS, why)


def _one(found: Sequence[Rule]) -> Rule:
    """Rules for the same port as one."""
    return replace(
        found[0],
        networks=tuple(sorted({network for rule in found for network in rule.networks}, key=_order)),
        anywhere=any(rule.anywhere for rule in found),
        containers=any(rule.containers for rule in found),
        why="; ".join(dict.fromkeys(rule.why for rule in found)),
    )


def allowed(env: Environment, host: Host) -> list[Rule]:
    """What `firewall_allow` adds at a host."""
    return [_allowed(each) for each in env.setting.firewall_allow if each["to"] in ("all", host.name, *host.groups)]


def _allowed(each: Mapping[str, Any]) -> Rule:
    why = f"firewall_allow: {each['why']}"
    return Rule(
        each.get("protocol", "tcp"), each["port"], tuple(each["from"]), anywhere=False, containers=False, why=why
    )


def _order(network: str) -> tuple[int, int, int]:
    found = ip_network(network, strict=False)
    return found.version, int(found.network_address), found.prefixlen


def check(env: Environment) -> None:
    """OperatorError for a network, an address or an entry of `firewall_allow` from which no rule can be made."""
    for network in env.setting.firewall_operator_networks:
        _check_network("firewall_operator_networks", network)
    for each in env.setting.firewall_allow:
        _check_allowed(env, each)
    for host in env.hosts:
        try:
            ip_address(host.address)
        except ValueError:
            raise OperatorError(
                f"{host.name}: its address is {host.address}, and a firewall needs a number: write the IP address as "
                "`address` in the inventory"
            ) from None


def _check_network(setting: str, network: object) -> None:
    try:
        ip_network(str(network))
    except ValueError as error:
        raise OperatorError(f'{setting} has "{network}": {error}. Write networks such as "203.0.113.0/24"') from None


def _check_allowed(env: Environment, each: Mapping[str, Any]) -> None:
    groups = {group for host in env.hosts for group in host.groups}
    places = sorted({"all", *groups, *(host.name for host in env.hosts)})
    wrong = ""
    if missing := {"from", "to", "port", "why"} - set(each):
        wrong = f"says nothing about {', '.join(sorted(missing))}"
    elif more := set(each) - {"from", "to", "port", "why", "protocol"}:
        wrong = f"has {', '.join(sorted(more))}, which it does not know"
    elif each["to"] not in places:
        wrong = f'goes to "{each["to"]}", and there are {", ".join(places)}'
    elif not isinstance(each["port"], int) or not 0 < each["port"] < 65536:
        wrong = f"has port {each['port']!r}, and a port is a number up to 65535"
    elif each.get("protocol", "tcp") not in ("tcp", "udp"):
        wrong = f'has protocol "{each["protocol"]}", and there are tcp and udp'
    elif not isinstance(each["from"], list) or not each["from"]:
        wrong = 'needs "from" as a list of networks'
    if wrong:
        raise OperatorError(f"firewall_allow: the entry {dict(each)} {wrong}")
    for network in each["from"]:
        _check_network("firewall_allow", network)

"""What Docker needs of the kernel so that containers have a way out and in: rules, forwarding, bridges.

Docker lays its rules when it starts, and never looks at them again: who flushes them leaves containers that run and
reach nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nexus.agent.file import read_text
from nexus.agent.iptables import Rules

FORWARD = "/proc/sys/net/ipv4/ip_forward"
UP = 0x1  # of an interface's flags
REFUSES = (" -j DROP", " -j REJECT")


def bridge(network: Mapping[str, Any]) -> str:
    """The interface of a network of Docker's."""
    options = network.get("Options") or {}
    return str(options.get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}")


def lacking(found: Rules, networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rules that Docker made for its networks and that are gone, in words; true of all its versions."""
    nat = [rule for table, rule in found if table == "nat"]
    filters = [rule for table, rule in found if table == "filter"]
    words = [name for name, there in _jumps(nat, filters) if not there]
    for network in networks:
        if not network.get("Internal"):
            words += _of_network(nat, filters, network)
    return words


def _jumps(nat: Sequence[str], filters: Sequence[str]) -> Iterator[tuple[str, bool]]:
    yield "published ports (nat PREROUTING -> DOCKER)", _any(nat, "-A PREROUTING ", " -j DOCKER")
    yield "the operator's chain (FORWARD -> DOCKER-USER)", _any(filters, "-A FORWARD ", "-j DOCKER-USER")


def _of_network(nat: Sequence[str], filters: Sequence[str], network: Mapping[str, Any]) -> Iterator[str]:
    name, options = bridge(network), network.get("Options") or {}
    masked = options.get("com.docker.network.bridge.enable_ip_masquerade", "true") == "true"
    for config in network["IPAM"]["Config"] or [] if masked else []:
        subnet = config["Subnet"]
        if ":" not in subnet and not _any(nat, f"-s {subnet} ", " -j MASQUERADE"):
            yield f"the way out of {subnet} (nat POSTROUTING MASQUERADE)"
    if not _any(filters, f"-i {name} ", " -j ACCEPT"):
        yield f"what {name} may send (FORWARD -i {name} ACCEPT)"
    if not _any(filters, f"-o {name} ", "RELATED,ESTABLISHED"):
        yield f"answers to {name} (FORWARD -o {name} ESTABLISHED)"


def _any(found: Sequence[str], *parts: str) -> bool:
    return any(all(part in rule for part in parts) for rule in found)


def refused(found: Rules, networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rules by hand that drop what containers send or get: an administrator may mean them."""
    own = [f"-A FORWARD -i {bridge(one)} -o {bridge(one)} " for one in networks]  # Docker's, between containers
    return [
        rule
        for table, rule in found
        if table == "filter"
        and rule.startswith(("-A FORWARD ", "-A DOCKER-USER "))
        and any(end in rule for end in REFUSES)
        and not rule.startswith(tuple(own))
    ]


def down(networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """{interface: what is wrong with it, in words} of bridges that are gone or switched off."""
    found = {}
    for name in map(bridge, networks):
        flags = read_text(f"/sys/class/net/{name}/flags")
        if not flags:
            found[name] = f"{name} was removed"
        elif not int(flags, 16) & UP:
            found[name] = f"{name} is switched off"
    return found


def addresses() -> set[str]:
    """All IPv4 addresses of this host, as the kernel routes them."""
    found, last = set(), ""
    with open("/proc/net/fib_trie", errors="replace") as stream:
        for line in stream:
            words = line.split()
            if words[0] == "|--":
                last = words[1]
            elif words[:3] == ["/32", "host", "LOCAL"]:
                found.add(last)
    return found


def unaddressed(networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """{interface: address with its prefix} of bridges that lost theirs."""
    found, there = {}, addresses()
    for network in networks:
        for config in network["IPAM"]["Config"] or []:
            gateway = config.get("Gateway", "")
            if gateway and ":" not in gateway and gateway not in there:
                found[bridge(network)] = f"{gateway}/{config['Subnet'].rpartition('/')[2]}"
    return found


def forwards() -> bool:
    """Whether the kernel forwards at all."""
    return read_text(FORWARD).strip() == "1"

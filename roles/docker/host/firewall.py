"""What containers need of the kernel to reach the network and be reached: rules, forwarding, bridges.

Docker writes its rules when it starts and never checks them again: after a flush, containers run and reach nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nexus.agent.file import read_text
from nexus.agent.iptables import Rules

FORWARD = "/proc/sys/net/ipv4/ip_forward"
UP = 0x1  # of an interface's flags
REFUSES = (" -j DROP", " -j REJECT")


def bridge(network: Mapping[str, Any]) -> str:
    """The interface of a Docker network."""
    options = network.get("Options") or {}
    return str(options.get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}")


def lacking(found: Rules, networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Missing rules that Docker makes for its networks, in words; the same for all versions of Docker."""
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
            yield f"traffic out of {subnet} (nat POSTROUTING MASQUERADE)"
    if not _any(filters, f"-i {name} ", " -j ACCEPT"):
        yield f"traffic from {name} (FORWARD -i {name} ACCEPT)"
    if not _any(filters, f"-o {name} ", "RELATED,ESTABLISHED"):
        yield f"answers to {name} (FORWARD -o {name} ESTABLISHED)"


def _any(found: Sequence[str], *parts: str) -> bool:
    return any(all(part in rule for part in parts) for rule in found)


def refused(found: Rules, networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rules that Docker did not make and that drop packets of containers; an administrator may intend them."""
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
    """{interface: what is wrong with it, in words} for bridges that are gone or switched off."""
    found = {}
    for name in map(bridge, networks):
        flags = read_text(f"/sys/class/net/{name}/flags")
        if not flags:
            found[name] = f"{name} was removed"
        elif not int(flags, 16) & UP:
            found[name] = f"{name} is switched off"
    return found


def addresses() -> set[str]:
    """All IPv4 addresses of this host in the kernel's routing table."""
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
    """{interface: address with its prefix} for bridges that lost their address."""
    found, there = {}, addresses()
    for network in networks:
        for config in network["IPAM"]["Config"] or []:
            gateway = config.get("Gateway", "")
            if gateway and ":" not in gateway and gateway not in there:
                found[bridge(network)] = f"{gateway}/{config['Subnet'].rpartition('/')[2]}"
    return found


def forwards() -> bool:
    """Whether the kernel forwards packets at all."""
    return read_text(FORWARD).strip() == "1"

"""Why a run would not work on a host, each with its remedy. Nothing here asks a host."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from nexus.environment.environment import Host
from nexus.error import OperatorError
from nexus.provider.ssh.look import Facts
from nexus.run import clock

DISTRIBUTION, VERSION = "debian", "13"
ARCHITECTURE = "x86_64"
PYTHON = (3, 11)
MTU_MIN = 1330  # IPv6 needs 1280 bytes, and VXLAN's headers take 50
INODES_MIN = 100_000  # of which packages and images need about half
GIB = 1024**3


class Refusal(str):
    """A reason in words, which follow the name of the host."""


@dataclass(frozen=True)
class Need:
    """What the plan needs of a host."""

    ports: Mapping[tuple[str, int], str] = field(default_factory=dict)  # (protocol, port) -> role
    networks: Mapping[str, str] = field(default_factory=dict)  # setting -> range of addresses


def refusals(host: Host, found: Facts, need: Need, ahead: float) -> Iterator[Refusal]:
    """Everything that is wrong with one host; `ahead` is how far its clock is ahead, in seconds."""
    yield from _system(found)
    yield from _python(found)
    yield from _kernel(found)
    try:
        clock.check(host.name, ahead)
    except OperatorError as error:
        yield Refusal(str(error))
    yield from _identity(host, found)
    yield from _memory(host, found)
    if not found.managed:  # later the platform itself has these ports and networks
        yield from _disk(host, found)
        yield from _ports(found, need)
        yield from _networks(found, need)


def among(found: Mapping[str, Facts]) -> Iterator[Refusal]:
    """What is wrong between hosts."""
    by_machine = defaultdict(list)
    for name, facts in found.items():
        by_machine[facts.machine_id].append(name)
    for machine_id, names in by_machine.items():
        if machine_id and len(names) > 1:
            yield Refusal(
                f"{', '.join(names)} have the same /etc/machine-id, as copies of one machine: on all but one of them "
                "rm /etc/machine-id && systemd-machine-id-setup, then reboot"
            )


def _system(found: Facts) -> Iterator[Refusal]:
    if (found.distribution, found.version.split(".")[0]) != (DISTRIBUTION, VERSION):
        title = found.title or found.distribution or "an unknown system"
        yield Refusal(f"runs {title}, and only Debian {VERSION} is supported: install that, or take another host")
    if found.architecture != ARCHITECTURE:
        yield Refusal(
            f"has the architecture {found.architecture}, and only {ARCHITECTURE} is supported: take another host"
        )
    if found.init != "systemd":
        yield Refusal(
            f"was started by {found.init or 'no known program'}, not by systemd: apt-get install systemd-sysv, reboot"
        )


def _python(found: Facts) -> Iterator[Refusal]:
    if not found.python:
        yield Refusal("has no python3: apt-get install python3")
    elif found.python < PYTHON:
        version, needed = (".".join(map(str, each)) for each in (found.python, PYTHON))
        yield Refusal(f"has Python {version}, and {needed} is needed: install the python3 of Debian {VERSION}")


def _kernel(found: Facts) -> Iterator[Refusal]:
    if found.missing_modules:
        yield Refusal(
            f"has a kernel without {', '.join(found.missing_modules)}, which containers and the firewall need: "
            "apt-get install linux-image-amd64, reboot"
        )
    if 0 < found.mtu < MTU_MIN:
        yield Refusal(
            f"has an MTU of {found.mtu} on its uplink, and {MTU_MIN} is needed: ip link set dev DEVICE mtu 1500"
        )


def _identity(host: Host, found: Facts) -> Iterator[Refusal]:
    if found.name != host.name:
        yield Refusal(
            f"calls itself {found.name}, and nodes and log lines are found by that name: hostnamectl set-hostname "
            f"{host.name}, or call it {found.name} in the inventory"
        )
    if found.addresses and host.address not in found.addresses:
        yield Refusal(
            f"does not have the address {host.address}, at which other hosts are told to reach it: set `address` in "
            f"the inventory to one of {', '.join(sorted(_usable(found)))}"
        )


def _usable(found: Facts) -> set[str]:
    return {address for address in found.addresses if not address.startswith(("127.", "::1", "fe80:"))}


def _memory(host: Host, found: Facts) -> Iterator[Refusal]:
    reserved = int(host.setting.capacity_reserved_memory_bytes)
    if 0 < found.memory_bytes < reserved:
        yield Refusal(
            f"has {found.memory_bytes / GIB:.3g} GiB of memory, and the system alone is given {reserved / GIB:.3g}: "
            "take a larger host"
        )


def _disk(host: Host, found: Facts) -> Iterator[Refusal]:
    needed = int(host.setting.contact_disk_free_bytes)
    if found.free_bytes is not None and found.free_bytes < needed:
        yield Refusal(
            f"has {found.free_bytes / GIB:.1f} GiB free below /var, and {needed / GIB:.1f} are needed: free space, "
            "enlarge the file system, or lower contact_disk_free_bytes"
        )
    if found.free_inodes is not None and found.free_inodes < INODES_MIN:
        yield Refusal(
            f"has {found.free_inodes} inodes free below /var, and {INODES_MIN} are needed: remove small files, or make "
            "the file system again with more"
        )


def _ports(found: Facts, need: Need) -> Iterator[Refusal]:
    for place in sorted(found.listening.keys() & need.ports.keys()):
        protocol, port = place
        owner = found.listening[place] or "a program"
        yield Refusal(
            f"has {owner} on {protocol} port {port}, which {need.ports[place]} needs: stop and disable it (`ss -Hlnp "
            f"sport = {port}` names it), or set another port"
        )


def _networks(found: Facts, need: Need) -> Iterator[Refusal]:
    for setting, text in need.networks.items():
        wanted = IPv4Network(text, strict=False)
        if taken := next((network for network in found.networks if network.overlaps(wanted)), None):
            yield Refusal(
                f"has a route to {taken}, and {setting} is {wanted}: set {setting} to a free range in group_data"
            )

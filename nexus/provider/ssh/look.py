"""What a host says of itself before anything is changed there: one shell script, which needs no Python."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from nexus.agent.lib import MANIFEST

MODULES = ("overlay", "bridge", "vxlan", "veth", "nf_tables")  # of the kernel: containers, their networks, firewall
# Every section begins with a line `== NAME`; a section whose command is missing stays empty.
SCRIPT = rf"""
section() {{ printf '\n== %s\n' "$1"; }}
section system; cat /etc/os-release
section machine; uname -m; nproc; uname -n; cat /proc/1/comm /etc/machine-id
section memory; cat /proc/meminfo
section python; command -v python3 >/dev/null && python3 -ISc 'import sys; print("%d.%d" % sys.version_info[:2])'
section clock; date +%s.%N
section disk; df -Pk /var
section inodes; df -Pi /var
section mtu; for d in /sys/class/net/*; do echo "${{d##*/}} $(cat "$d/mtu")"; done
section routes; cat /proc/net/route
section addresses; ip -o addr show || hostname -I
section modules
release=$(uname -r)
for m in {" ".join(MODULES)}; do
    if [ -d /sys/module/$m ] || grep -qw $m /proc/filesystems; then echo "$m yes"
    elif [ ! -r /lib/modules/$release/modules.dep ]; then echo "$m unknown"
    elif grep -q "/$m\.ko" /lib/modules/$release/modules.dep /lib/modules/$release/modules.builtin; then echo "$m yes"
    else echo "$m no"; fi
done
section gpus; ls -d /dev/nvidia[0-9]*
section tcp; cat /proc/net/tcp /proc/net/tcp6
section udp; cat /proc/net/udp /proc/net/udp6
section owners; ss -Hltunp
section manifest; ls {MANIFEST}
"""
LISTENS = {"tcp": "0A", "udp": "07"}  # states of sockets that wait for others, in the kernel's numbers


@dataclass(frozen=True)
class Facts:
    """What a host said. What it could not say is empty, 0 or None."""

    distribution: str
    version: str
    title: str
    architecture: str
    cpus: int
    memory_bytes: int
    gpus: int
    name: str
    init: str
    machine_id: str
    python: tuple[int, ...]
    clock: float
    free_bytes: int | None
    free_inodes: int | None
    mtu: int
    networks: tuple[IPv4Network, ...]  # with a route that is not the default one
    addresses: frozenset[str]
    missing_modules: tuple[str, ...]
    listening: Mapping[tuple[str, int], str]  # (protocol, port) -> the program, where that is known
    managed: bool  # a run has been here


def facts(text: str) -> Facts:
    """The facts in what the script printed."""
    found = dict(_sections(text))

    def first(section: str, number: int = 0) -> str:
        lines = found.get(section, [])
        return lines[number].strip() if len(lines) > number else ""

    release = dict(line.partition("=")[::2] for line in found.get("system", []))
    routes = list(_routes(found.get("routes", [])))
    mtus = dict(line.split() for line in found.get("mtu", []) if len(line.split()) == 2)
    uplink = next((device for device, network in routes if network.prefixlen == 0), "")
    return Facts(
        distribution=release.get("ID", "").strip('"'),
        version=release.get("VERSION_ID", "").strip('"'),
        title=release.get("PRETTY_NAME", "").strip('"'),
        architecture=first("machine"),
        cpus=_number(first("machine", 1)),
        memory_bytes=_number(next((line for line in found.get("memory", []) if line.startswith("MemTotal")), ""))
        * 1024,
        gpus=len(found.get("gpus", [])),
        name=first("machine", 2),
        init=first("machine", 3),
        machine_id=first("machine", 4),
        python=tuple(int(part) for part in first("python").split(".") if part.isdigit()),
        clock=float(first("clock") or 0),
        free_bytes=_free(found.get("disk", []), 1024),
        free_inodes=_free(found.get("inodes", []), 1),
        mtu=_number(mtus.get(uplink, "")),
        networks=tuple(network for _, network in routes if network.prefixlen),
        addresses=frozenset(re.findall(r"(?:\d+\.){3}\d+|[0-9a-f]*:[0-9a-f:]+", "\n".join(found.get("addresses", [])))),
        missing_modules=tuple(line.split()[0] for line in found.get("modules", []) if line.endswith(" no")),
        listening=_listening(found),
        managed=bool(found.get("manifest")),
    )


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, *lines = part.splitlines()
        yield name, [line for line in lines if line.strip()]


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0


def _free(lines: list[str], unit: int) -> int | None:
    """The fourth column of df's last line; None for a file system that does not count."""
    words = lines[-1].split() if len(lines) > 1 else []
    return int(words[3]) * unit if len(words) > 4 and words[3].isdigit() and words[1] != "0" else None


def _routes(lines: list[str]) -> Iterator[tuple[str, IPv4Network]]:
    for words in (line.split() for line in lines[1:]):
        if len(words) >= 8:
            network, mask = (IPv4Address(bytes.fromhex(words[at])[::-1]) for at in (1, 7))
            yield words[0], IPv4Network(f"{network}/{mask}", strict=False)


def _listening(found: Mapping[str, list[str]]) -> dict[tuple[str, int], str]:
    owners = {}
    for line in found.get("owners", []):
        words = line.split()
        named = re.search(r'\(\("([^"]+)"', line)
        if len(words) > 4 and named:
            owners[words[0], _number(words[4].rpartition(":")[2])] = named[1]
    sockets: dict[tuple[str, int], str] = {}
    for protocol, state in LISTENS.items():
        for words in (line.split() for line in found.get(protocol, [])):
            if len(words) > 3 and words[3] == state and ":" in words[1]:
                place = protocol, int(words[1].rpartition(":")[2], 16)
                sockets[place] = owners.get(place, "")
    return sockets

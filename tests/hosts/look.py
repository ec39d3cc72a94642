"""What lies and runs on a host, as its own shell tools tell it: one script, one round trip.

Nothing of the library's agent is used here: a fault of the one must not hide in the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nexus.environment.environment import Traits

MARK = "@@@ "
KINDS = {0x8000: "file", 0x4000: "directory", 0xA000: "link"}

TRAITS = r"""
getconf _NPROCESSORS_ONLN
awk '/^MemTotal:/ {print $2}' /proc/meminfo
device=$(awk '$2 == "00000000" {print $1; exit}' /proc/net/route)
cat "/sys/class/net/${device:-none}/mtu" 2>/dev/null || echo 1500
ls /dev | grep -c '^nvidia[0-9][0-9]*$'
uname -m
cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || echo
"""

LOOK = r"""
export LC_ALL=C.UTF-8
paths() {
cat <<'PATHS'
%(paths)s
PATHS
}
section() { echo; echo "@@@ $1"; }
section paths; paths | xargs -d '\n' stat -c '%%f %%U %%G %%n' -- 2>/dev/null
section digests; paths | xargs -d '\n' sha256sum -- 2>/dev/null
section links; paths | while read -r path; do [ -L "$path" ] && echo "$(readlink -- "$path") $path"; done
section followed
paths | while read -r path; do [ -L "$path" ] && stat -L -c '%%f %%U %%G %%n' -- "$path" 2>/dev/null; done
section packages; dpkg-query -W -f '${Package} ${db:Status-Status}\n'
section units
systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,DropInPaths -- %(units)s </dev/null
section stamps; grep -r '' /run/nexus-cos/stamp 2>/dev/null
section passwd; getent passwd
section group; getent group
section locked; awk -F: '$2 ~ /^[!*]/ {print $1}' /etc/shadow
section listeners; ss -lntupH
section processes; ps -eo pid,uid,user:40,comm --no-headers
section lost; find /proc/[0-9]*/fd -lname '/var/log/*(deleted)' -printf '%%l\n' 2>/dev/null
section haproxy; [ -S /run/haproxy/admin.sock ] && python3 -I -c '
import socket
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/haproxy/admin.sock")
connection.sendall(b"show stat; show info\n")
print(b"".join(iter(lambda: connection.recv(65536), b"")).decode())'
section journald; systemd-analyze cat-config systemd/journald.conf 2>/dev/null | grep '^[A-Z].*='
section end
"""


@dataclass(frozen=True)
class Path:
    """What stat, sha256sum and readlink say of one path."""

    kind: str
    mode: int
    owner: str
    group: str
    content: str = ""  # hex digest of a file, target of a link


@dataclass(frozen=True)
class Listener:
    """A socket that waits for others, as `ss` shows it."""

    protocol: str
    address: str
    port: int
    process: str
    pids: tuple[int, ...]

    @property
    def loopback(self) -> bool:
        """Whether only the host itself reaches it."""
        return self.address.startswith("127.") or self.address == "[::1]"

    def __str__(self) -> str:
        return f"{self.protocol} {self.address}:{self.port} ({self.process or 'the kernel'})"


@dataclass(frozen=True)
class Process:
    """A process and whom it runs as."""

    pid: int
    uid: int
    user: str
    name: str


@dataclass(frozen=True)
class Seen:
    """All that one look at a host found."""

    paths: dict[str, Path]
    followed: dict[str, Path]  # what those that are links lead to
    packages: dict[str, str]
    units: dict[str, dict[str, str]]
    stamps: dict[str, dict[str, str]]  # unit -> {path: digest that it was started with}
    users: dict[str, set[str]]  # account -> its groups
    groups: set[str]
    locked: set[str]
    listeners: list[Listener]
    processes: dict[int, Process]
    lost: list[str]  # log files that were removed and are still written to
    haproxy: list[str]  # its rows of servers and frontends, then its own figures
    journald: dict[str, str]


def read_traits(output: str) -> Traits:
    """Traits from the output of the script TRAITS."""
    cpus, kilobytes, mtu, gpus, machine, *rest = output.split("\n")
    controllers = " ".join(rest).split()
    docker = {name: name in controllers for name in ("memory", "cpu")}
    return Traits(int(cpus), int(kilobytes) * 1024, int(mtu), int(gpus), machine, docker)


def script(paths: Iterable[str], units: Iterable[str]) -> str:
    """The script that looks at these paths and units, and at all the rest."""
    lines = "\n".join(sorted(set(paths)))
    return LOOK % {"paths": lines, "units": " ".join(units) or "-.slice"}


def read(output: str, units: list[str]) -> Seen:
    """What the script's output says."""
    parts = dict(part.split("\n", 1) for part in output.split(f"\n{MARK}")[1:])
    if "end" not in parts:
        raise RuntimeError(f"the look at the host broke off after: {output[-200:]}")
    lines = {name: [line for line in text.splitlines() if line.strip()] for name, text in parts.items()}
    users, groups = _accounts(lines["passwd"], lines["group"])
    return Seen(
        paths=_paths(lines["paths"], lines),
        followed=_paths(lines["followed"], {"digests": [], "links": []}),
        packages=dict(line.split(" ", 1) for line in lines["packages"]),
        units=_units(parts["units"], units),
        stamps=_stamps(lines["stamps"]),
        users=users,
        groups=groups,
        locked=set(lines["locked"]),
        listeners=[_listener(line) for line in lines["listeners"]],
        processes={process.pid: process for process in map(_process, lines["processes"])},
        lost=lines["lost"],
        haproxy=lines["haproxy"],
        journald=dict(line.split("=", 1) for line in lines["journald"]),
    )


def _paths(told: list[str], lines: dict[str, list[str]]) -> dict[str, Path]:
    digests = {line[66:]: line[:64] for line in lines["digests"]}
    targets = {path: target for target, path in (line.split(" ", 1) for line in lines["links"])}
    found = {}
    for line in told:
        bits, owner, group, name = line.split(" ", 3)
        kind = KINDS.get(int(bits, 16) & 0xF000, "other")
        content = {"file": digests, "link": targets}.get(kind, {}).get(name, "")
        found[name] = Path(kind, int(bits, 16) & 0o7777, owner, group, content)
    return found


def _units(text: str, names: list[str]) -> dict[str, dict[str, str]]:
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    parsed = [dict(line.split("=", 1) for line in block if "=" in line) for block in blocks]
    return dict(zip(names, parsed, strict=False))


def _stamps(lines: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        file, text = line.split(":", 1)
        found.setdefault(file.rsplit("/", 1)[1], {})[text[66:]] = text[:64]
    return found


def _accounts(passwd: list[str], group: list[str]) -> tuple[dict[str, set[str]], set[str]]:
    entries = [line.split(":") for line in group]
    by_number = {entry[2]: entry[0] for entry in entries}
    users = {}
    for account in (line.split(":") for line in passwd):
        further = {entry[0] for entry in entries if account[0] in entry[3].split(",")}
        users[account[0]] = further | {by_number.get(account[3], account[3])}
    return users, {entry[0] for entry in entries}


def _listener(line: str) -> Listener:
    columns = line.split()
    address, port = columns[4].rsplit(":", 1)
    owners = columns[6] if len(columns) > 6 else ""
    names = [part.split('"')[1] for part in owners.split("(")[2:] if '"' in part]
    pids = tuple(int(part.split(",")[0].rstrip(")")) for part in owners.split("pid=")[1:])
    return Listener(columns[0], address.split("%")[0], int(port), names[0] if names else "", pids)


def _process(line: str) -> Process:
    pid, uid, user, name = line.split(None, 3)
    return Process(int(pid), int(uid), user, name)

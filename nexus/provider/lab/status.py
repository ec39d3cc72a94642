"""A table of an environment's hosts, from the machine and the hosts themselves."""

import os
import time
from pathlib import Path

from nexus.provider.lab.environment import LabEnvironment
from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import Process, descendants, processes, run

HEADER = ("HOST", "ADDRESS", "STATE", "SSH", "UPTIME", "MEMORY", "DISK", "GROUPS")


def table(environment: LabEnvironment) -> str:
    """One line per host: name, address, state, ssh answer, uptime, its own memory and disk, groups."""
    found = processes()
    rows: list[tuple[str, ...]] = [HEADER]
    for planned in environment.hosts:
        rows.append((*_row(Host(environment, planned), found), ",".join(planned.groups)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(host: Host, found: list[Process]) -> tuple[str, ...]:
    alive = host.running(found)
    if not host.spec():
        return host.name, host.address, "absent", "-", "-", "-", "-"
    disk = _disk(host.directory)
    if alive is None or alive.init is None:
        return host.name, host.address, "off" if alive is None else "rebooting", "-", "-", "-", disk
    state = "running" if alive.whole else "unkept"  # unkept: nothing would boot it again after a reboot
    answer = "yes" if host.answers() else "no"
    pids = [alive.init, *descendants(alive.init, found)]
    return host.name, host.address, state, answer, _uptime(alive.init), _mib(sum(map(_memory, pids))), disk


def _uptime(pid: int) -> str:
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _memory(pid: int) -> int:
    """Bytes that belong only to this process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def _disk(directory: Path) -> str:
    """Disk space that the host itself uses: its overlay's upper directory and Docker's."""
    parts = [str(directory / name) for name in ("upper", "docker") if (directory / name).is_dir()]
    sizes = run("du", "-s", "--block-size=1", *parts, check=False).stdout.splitlines()
    return _mib(sum(int(line.split()[0]) for line in sizes))


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}M"

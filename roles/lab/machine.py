"""The machine that carries the lab: its commands, processes, mounts, and whether it can carry one at all.

Reads much and changes little: what is missing is installed with apt, kernel modules are loaded, nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from roles.lab import defaults

# Command that must be there -> Debian's and Ubuntu's package that brings it.
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# What the hosts need of the kernel and cannot load themselves; kernels that have them built in know no modules.
MODULES = [
    "overlay",
    "bridge",
    "veth",
    "vxlan",
    "nf_tables",
    "nft_compat",
    "nf_nat",
    "nf_conntrack",
    "nft_chain_nat",
    "nft_masq",
    "ip_tables",
    "iptable_nat",
    "iptable_filter",
    "xt_conntrack",
    "xt_MASQUERADE",
    "xt_addrtype",
    "xt_nat",
    "xt_mark",
    "xt_comment",
]


class LabError(Exception):
    """Something about the lab that its user can put right; the text says what, where and how."""


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


def run(*command: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command of the machine; raises LabError with its output when it fails and `check` is set."""
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip() or "no output"
        raise LabError(f"`{' '.join(command)}` failed with status {done.returncode}: {said}")
    return done


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Asks until the condition holds or the time is over; says whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One command changes the machine's labs at a time; a second one waits and says so."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"lab: waiting for another lab command on this machine (it holds {lock.name})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Process:
    """A process of the machine as /proc tells it."""

    pid: int
    parent: int
    command: tuple[str, ...]


def processes() -> list[Process]:
    """Every process that has a command line, those inside the hosts included."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            command = Path(entry.path, "cmdline").read_bytes()
            if not command:
                continue
            stat = Path(entry.path, "stat").read_text()
        except (OSError, ValueError):  # gone meanwhile
            continue
        words = tuple(command.decode(errors="replace").rstrip("\0").split("\0"))
        found.append(Process(int(entry.name), int(stat.rpartition(")")[2].split()[1]), words))
    return found


def descendants(pid: int, table: Sequence[Process]) -> list[int]:
    """The processes below this one, nearest first."""
    children: dict[int, list[int]] = {}
    for process in table:
        children.setdefault(process.parent, []).append(process.pid)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def kill(pids: Sequence[int], seconds: float = 20) -> None:
    """SIGKILL, and a wait until each is gone; LabError when one will not go."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    if not wait_until(lambda: not any(map(_alive, pids)), seconds):
        left = [pid for pid in pids if _alive(pid)]
        raise LabError(
            f"processes {left} do not end after SIGKILL: something holds them in the kernel, see dmesg"
        )


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def mounts_below(directory: Path) -> list[str]:
    """Mount points at or below a directory, deepest first."""
    prefix = str(directory)
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].replace("\\040", " ") for line in lines]
    return sorted((p for p in points if p == prefix or p.startswith(prefix + "/")), key=len, reverse=True)


def unmount_below(directory: Path) -> None:
    """Takes every mount at or below a directory away."""
    for point in mounts_below(directory):
        if run("umount", point, check=False).returncode:
            run("umount", "--lazy", point)


def remove_tree(directory: Path) -> None:
    """Deletes a directory of the lab, never through a mount."""
    if not directory.exists():
        return
    unmount_below(directory)
    if left := mounts_below(directory):
        raise LabError(f"{left[0]} is still mounted, so {directory} is not deleted: unmount it and try again")
    shutil.rmtree(directory)


def install_tools() -> None:
    """Installs the packages whose commands are missing."""
    missing = [package for command, package in TOOLS.items() if not shutil.which(command)]
    if not KEYRING.exists():
        missing.append("debian-archive-keyring")
    if not missing:
        return
    say(f"lab: installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-q", "-y", "--no-install-recommends", "install", *missing]
    for command in (["apt-get", "-q", "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(
                f"`{' '.join(command)}` failed: {done.stderr.strip()}; install {' '.join(missing)} by hand"
            )


def load_modules() -> None:
    """Loads what the hosts need of the kernel; a module that a kernel does not have may be built in."""
    if shutil.which("modprobe") and Path(f"/lib/modules/{os.uname().release}").exists():
        run("modprobe", "--all", "--quiet", *MODULES, check=False)


def reason_lab_cannot_run(directory: Path | None = None) -> str | None:
    """Why this machine cannot hold a lab, in one line, or None when it can. Changes nothing on the machine.

    A machine on which one is up already is not asked for free disk and memory again.
    """
    place = directory or Path(os.environ.get("NEXUS_LAB_DIRECTORY", defaults.lab_directory))
    checks = (_reason_of_tools, _reason_of_addresses, _reason_of_kernel, lambda: _reason_of_disk(place))
    return next((reason for check in checks if (reason := check())), None)


def _reason_of_tools() -> str | None:
    if os.uname().sysname != "Linux":
        return f"the lab needs Linux, this is {os.uname().sysname}"
    if os.geteuid():
        return "the lab needs root: use sudo"
    missing = [command for command in TOOLS if not shutil.which(command)]
    if missing and not shutil.which("apt-get"):
        return f"{missing[0]} is not installed, and there is no apt-get to install it: the lab needs Debian or Ubuntu"
    return None


def _reason_of_addresses() -> str | None:
    if not shutil.which("ip"):
        return None  # it is installed first, then asked again
    for route in json.loads(run("ip", "-json", "-4", "route", "show").stdout or "[]"):
        if route["dst"] == "default" or route.get("dev") == defaults.BRIDGE:
            continue
        if IPv4Network(route["dst"], strict=False).overlaps(defaults.NETWORK):
            return (
                f"the lab's addresses {defaults.NETWORK} overlap with {route['dst']} of interface {route.get('dev')}:"
                " free that range or take another machine"
            )
    return None


def _reason_of_kernel() -> str | None:
    if Path("/sys/class/net", defaults.BRIDGE).exists() or not shutil.which("ip"):
        return None
    load_modules()
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        return "this kernel has no overlay filesystem, which the hosts' roots are made of"
    for kind in ("bridge", "veth"):
        if run("ip", "link", "add", "nexusprobe0", "type", kind, check=False).returncode:
            return f"this kernel cannot make network interfaces of type {kind} (or this container may not)"
        run("ip", "link", "delete", "nexusprobe0", check=False)
    return None


def _reason_of_disk(place: Path) -> str | None:
    if Path("/sys/class/net", defaults.BRIDGE).exists():
        return None
    existing = next(p for p in (place, *place.parents) if p.exists())
    kind = run("stat", "--file-system", "--format=%T", str(existing)).stdout.strip()
    if kind in ("overlayfs", "nfs", "tmpfs", "fuseblk"):
        return f"{place} lies on {kind}, which cannot carry overlays: name a directory on ext4 or xfs in NEXUS_LAB_DIRECTORY"
    free = shutil.disk_usage(existing).free
    if free < defaults.DISK_BYTES_MIN:
        return f"{place} has {free / 2**30:.1f} GiB free, the lab needs {defaults.DISK_BYTES_MIN / 2**30:.0f}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory < defaults.MEMORY_BYTES_MIN:
        return f"this machine has {memory / 1e9:.1f} GB of memory, the lab needs {defaults.MEMORY_BYTES_MIN / 1e9:.0f}"
    return None

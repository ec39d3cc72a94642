"""Whether this machine can run a lab, and what it lacks.

Installs missing packages with apt and loads kernel modules; everything else here only looks.
"""

import json
import os
import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from nexus.provider.lab import defaults
from nexus.provider.lab.machine import LabError, run, say

# Required command -> Debian's and Ubuntu's package for it.
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# Kernel modules that the hosts need and cannot load themselves. Kernels may have them built in.
MODULES = (
    *("overlay", "bridge", "veth", "vxlan", "nf_tables", "nf_nat", "nf_conntrack", "nft_compat", "nft_chain_nat"),
    *("nft_masq", "ip_tables", "iptable_nat", "iptable_filter", "xt_conntrack", "xt_MASQUERADE", "xt_addrtype"),
    *("xt_nat", "xt_mark", "xt_comment"),
)


def install_tools() -> None:
    """Install the packages whose commands are missing."""
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
            raise LabError(f"`{' '.join(command)}` failed, install the packages by hand: {done.stderr.strip()}")


def load_modules() -> None:
    """Load the kernel modules that the hosts need; a module that cannot be loaded may be built in."""
    if shutil.which("modprobe") and Path(f"/lib/modules/{os.uname().release}").exists():
        run("modprobe", "--all", "--quiet", *MODULES, check=False)


def reason_lab_cannot_run(directory: Path | None = None) -> str | None:
    """Why this machine cannot run a lab, in one line, or None if it can. Changes nothing on the machine.

    If a lab is already up on the machine, free disk and memory are not checked again.
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
        return f"{missing[0]} is missing, and so is apt-get to install it: the lab needs Debian or Ubuntu"
    return None


def _reason_of_addresses() -> str | None:
    if not shutil.which("ip"):
        return None  # it is installed first, then checked again
    for route in json.loads(run("ip", "-json", "-4", "route", "show").stdout or "[]"):
        if route["dst"] == "default" or route.get("dev") == defaults.BRIDGE:
            continue
        if IPv4Network(route["dst"], strict=False).overlaps(defaults.NETWORK):
            taken = f"{route['dst']} of interface {route.get('dev')}"
            return f"the lab's addresses {defaults.NETWORK} overlap with {taken}: free that range"
    return None


def _reason_of_kernel() -> str | None:
    if Path("/sys/class/net", defaults.BRIDGE).exists() or not shutil.which("ip"):
        return None
    load_modules()
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        return "this kernel has no overlay filesystem, which the hosts' roots are made of"
    for kind in ("bridge", "veth"):
        if run("ip", "link", "add", "nexusprobe0", "type", kind, check=False).returncode:
            return f"this kernel cannot create network interfaces of type {kind} (or this container may not)"
        run("ip", "link", "delete", "nexusprobe0", check=False)
    return None


def _reason_of_disk(place: Path) -> str | None:
    if Path("/sys/class/net", defaults.BRIDGE).exists():
        return None
    existing = next(p for p in (place, *place.parents) if p.exists())
    kind = run("stat", "--file-system", "--format=%T", str(existing)).stdout.strip()
    if kind in ("overlayfs", "nfs", "tmpfs", "fuseblk"):
        return f"{place} is on {kind}, which does not support overlays: set NEXUS_LAB_DIRECTORY to a directory on ext4"
    free = shutil.disk_usage(existing).free
    if free < defaults.DISK_BYTES_MIN:
        return f"{place} has {free / 2**30:.1f} GiB free, the lab needs {defaults.DISK_BYTES_MIN / 2**30:.0f}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory < defaults.MEMORY_BYTES_MIN:
        needed = defaults.MEMORY_BYTES_MIN / 1e9
        return f"this machine has {memory / 1e9:.1f} GB of memory, the lab needs {needed:.0f}"
    return None

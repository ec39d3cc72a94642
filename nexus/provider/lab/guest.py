"""Files written for a host: its identity inside its root, and the scripts that boot it from outside."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from nexus.provider.lab import defaults
from nexus.provider.lab.machine import LabError
from nexus.provider.ssh_key import make_key

# Docker needs all of these: capabilities for its networks, key rings for every container that it starts.
DOCKER_FLAGS = ("--capability=all", "--system-call-filter=add_key keyctl request_key bpf")
REBOOT_STATUS = 133

NETWORK = """\
[Match]
Name=host0

[Link]
MTUBytes={mtu}

[Network]
Address={address}/{prefix}
Gateway={gateway}
LinkLocalAddressing=no
IPv6AcceptRA=no
KeepConfiguration=static

[Address]
Address={address6}
DuplicateAddressDetection=none
"""

BOOT = """\
#!/bin/sh
# Boots lab host {name} of environment {environment} once. Rewritten at every start of the host.
ip link delete {interface} 2>/dev/null  # after a reboot the kernel may not have tidied up yet
(
    tries=200
    while [ $tries -gt 0 ] && ! ip link set {interface} mtu {mtu} 2>/dev/null; do
        tries=$((tries - 1))
        sleep 0.05
    done
) &
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec {command}
"""

KEEP = """\
#!/bin/sh
# Keeps lab host {name} of environment {environment}: boots it again when it reboots, ends when it powers off.
{control_group}while :; do
    /bin/sh {boot}
    [ $? -eq {reboot} ] || break
done
"""

CONTROL_GROUP = """\
# Its own control group: hosts that share one see, and may end, each other's units.
mkdir -p {group} && echo $$ > {group}/cgroup.procs
"""


def write_identity(upper: Path, name: str, address: str, mtu: int, authorised_key: str) -> None:
    """Write the host's own files into the upper directory of its root, before its first mount."""
    private, public = make_key(f"root@{name}")
    network = NETWORK.format(
        mtu=mtu,
        address=address,
        prefix=defaults.NETWORK.prefixlen,
        gateway=defaults.GATEWAY,
        address6=f"{defaults.address6(address)}/{defaults.NETWORK6.prefixlen}",
    )
    files = {
        "etc/hostname": (f"{name}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n{address} {name}\n", 0o644),
        "etc/machine-id": (secrets.token_hex(16) + "\n", 0o444),
        "etc/ssh/ssh_host_ed25519_key": (private, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (public, 0o644),
        "etc/systemd/network/10-lab.network": (network, 0o644),
    }
    for path, (text, mode) in files.items():
        _write(upper, path, text, mode)
    home = upper / "home" / defaults.USER
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    (home.parent).chmod(0o755)
    home.chmod(0o700)
    (home / ".ssh/authorized_keys").write_text(authorised_key)
    (home / ".ssh/authorized_keys").chmod(0o600)
    for path_ in (home, home / ".ssh", home / ".ssh/authorized_keys"):
        os.chown(path_, 1000, 1000)


def _write(upper: Path, path: str, text: str, mode: int) -> None:
    """Write a file with its parents; the parents are visible in the host's root, so they get the usual mode."""
    target = upper
    for part in Path(path).parent.parts:
        target /= part
        if not target.exists():
            target.mkdir()
            target.chmod(0o755)
    file = upper / path
    file.write_text(text)
    file.chmod(mode)


RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def write_resolver(root: Path, files: Sequence[Path] = RESOLVERS) -> None:
    """Write the machine's resolver file: the first one that does not name a resolver on loopback."""
    texts = [file.read_text() for file in files if file.exists()]
    text = next((text for text in texts if "nameserver 127." not in text), None)
    if text is None:
        raise LabError(
            f"{files[0]} names a resolver on loopback, which hosts on the bridge cannot reach:"
            " name a resolver that other machines can reach too"
        )
    target = root / "etc/resolv.conf"
    if target.is_symlink() or not target.exists() or target.read_text() != text:
        target.unlink(missing_ok=True)
        target.write_text(text)


def control_group(machine: str) -> Path | None:
    """The control group of a host on a machine without systemd, or None without cgroup2."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(point) / f"nexus-lab-{machine}"
    return None


def remove_control_group(machine: str) -> None:
    """Delete the remaining control group of a host; the kernel keeps groups that still contain processes."""
    group = control_group(machine)
    if group and group.is_dir():
        for directory, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                return

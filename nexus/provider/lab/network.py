"""The lab's network: bridge, rules, and the kernel settings that they need; all restored at the end."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nexus.provider.lab import defaults
from nexus.provider.lab.machine import run, say
from nexus.workstation import write_whole

SETTINGS = {
    Path("/proc/sys/net/ipv4/ip_forward"): 1,
    Path("/proc/sys/fs/inotify/max_user_instances"): defaults.INOTIFY_INSTANCES,
}
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

RULES = f"""\
table ip {defaults.NFT_TABLE}
delete table ip {defaults.NFT_TABLE}
table ip {defaults.NFT_TABLE} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat
        ip saddr {defaults.NETWORK} ip daddr != {defaults.NETWORK} masquerade
    }}
}}
"""


def uplink_mtu() -> int:
    """MTU of the default route's interface, or 1500 without a default route."""
    routes = json.loads(run("ip", "-json", "-4", "route", "show", "default").stdout or "[]")
    if not routes:
        return 1500
    return int(Path("/sys/class/net", routes[0]["dev"], "mtu").read_text())


def up(directory: Path, interfaces: Iterable[str]) -> bool:
    """Create missing parts of bridge and rules, attach running hosts' interfaces; returns whether anything changed."""
    changed = _settings_up(directory)
    bridge = _links().get(defaults.BRIDGE)
    mtu = uplink_mtu()
    if bridge is None or bridge["mtu"] != mtu or "UP" not in bridge["flags"]:
        if bridge is None:
            run("ip", "link", "add", defaults.BRIDGE, "type", "bridge", "forward_delay", "0")
        run("ip", "link", "set", defaults.BRIDGE, "mtu", str(mtu), "up")
        changed = True
    if str(defaults.GATEWAY) not in run("ip", "-4", "address", "show", "dev", defaults.BRIDGE).stdout:
        run("ip", "address", "replace", f"{defaults.GATEWAY}/{defaults.NETWORK.prefixlen}", "dev", defaults.BRIDGE)
        changed = True
    changed |= _second_address_up()
    if "masquerade" not in run("nft", "list", "table", "ip", defaults.NFT_TABLE, check=False).stdout:
        run("nft", "-f", "-", stdin=RULES)
        changed = True
    return _attach(interfaces, mtu) | _forward_up() | changed


def _second_address_up() -> bool:
    """The bridge's IPv6 address; none where the machine has no IPv6, since the hosts need it only among themselves."""
    off = Path("/proc/sys/net/ipv6/conf", defaults.BRIDGE, "disable_ipv6")
    if not off.exists() or off.read_text().strip() != "0":
        return False
    if str(defaults.GATEWAY6) in run("ip", "-6", "address", "show", "dev", defaults.BRIDGE).stdout:
        return False
    address = f"{defaults.GATEWAY6}/{defaults.NETWORK6.prefixlen}"
    run("ip", "-6", "address", "replace", address, "dev", defaults.BRIDGE, "nodad")
    return True


def down(directory: Path) -> None:
    """Remove bridge, rules and leftover interfaces, and restore the kernel's settings."""
    for name, link in _links().items():
        if link.get("master") == defaults.BRIDGE:
            run("ip", "link", "delete", name, check=False)
    run("ip", "link", "delete", defaults.BRIDGE, check=False)
    run("nft", "delete", "table", "ip", defaults.NFT_TABLE, check=False)
    _forward_down()
    _settings_down(directory)


def remove_interface(name: str) -> None:
    """Delete an interface that outlived its host."""
    if Path("/sys/class/net", name).exists():
        run("ip", "link", "delete", name, check=False)


def _links() -> dict[str, dict[str, Any]]:
    return {link["ifname"]: link for link in json.loads(run("ip", "-json", "link", "show").stdout)}


def _attach(interfaces: Iterable[str], mtu: int) -> bool:
    """Attach interfaces that lost their bridge when it was deleted under running hosts."""
    links, changed = _links(), False
    for name in interfaces:
        if name in links and links[name].get("master") != defaults.BRIDGE:
            run("ip", "link", "set", name, "mtu", str(mtu), "master", defaults.BRIDGE, "up")
            changed = True
    return changed


def _forward_rules() -> list[list[str]]:
    """Rules for a machine that drops forwarded packets (Docker's): accepting in our own table is not enough."""
    if not shutil.which("iptables"):
        return []
    tag = ["-m", "comment", "--comment", defaults.NFT_TABLE, "-j", "ACCEPT"]
    return [["-i", defaults.BRIDGE, *tag], ["-o", defaults.BRIDGE, *tag]]


def _forward_up() -> bool:
    changed = False
    for rule in _forward_rules():
        listing = run("iptables", "-w", "-S", check=False).stdout
        if "-P FORWARD DROP" not in listing:
            return False
        chain = "DOCKER-USER" if "-N DOCKER-USER" in listing else "FORWARD"
        if run("iptables", "-w", "-C", chain, *rule, check=False).returncode:
            run("iptables", "-w", "-I", chain, *rule)
            changed = True
    return changed


def _forward_down() -> None:
    for rule in _forward_rules():
        for chain in ("DOCKER-USER", "FORWARD"):
            while not run("iptables", "-w", "-D", chain, *rule, check=False).returncode:
                pass


def _settings_up(directory: Path) -> bool:
    """Raise the kernel's settings; their old values are stored first, once per boot of the machine."""
    record = directory / "machine.json"
    boot = BOOT_ID.read_text().strip()
    known = json.loads(record.read_text()) if record.exists() else {}
    if known.get("boot") != boot:
        before = {str(path): int(path.read_text()) for path in SETTINGS}
        write_whole(record, json.dumps({"boot": boot, "before": before}))
    changed = False
    for path, value in SETTINGS.items():
        if int(path.read_text()) < value:
            changed |= _raise(path, value)
    return changed


def _raise(path: Path, value: int) -> bool:
    try:
        path.write_text(str(value))
    except OSError as error:  # a container may be denied what only a large lab needs
        say(f"lab: {path} stays at {path.read_text().strip()} ({error.strerror})")
        return False
    return True


def _settings_down(directory: Path) -> None:
    """Restore the settings, except those that somebody has changed since, and unless the machine has rebooted."""
    record = directory / "machine.json"
    if not record.exists():
        return
    known = json.loads(record.read_text())
    if known["boot"] == BOOT_ID.read_text().strip():
        for path, value in SETTINGS.items():
            before = known["before"][str(path)]
            if before != value == int(path.read_text()):
                path.write_text(str(before))
    record.unlink()

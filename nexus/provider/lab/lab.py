"""Up and down of whole environments: the order of actions, and what to do with leftovers."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nexus.provider.lab import access, base, network
from nexus.provider.lab.boot import start_missing
from nexus.provider.lab.environment import PROJECT, LabEnvironment, LabHost, check_addresses
from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import LabError, locked, remove_tree, say
from nexus.provider.lab.precheck import install_tools, load_modules, reason_lab_cannot_run
from nexus.workstation import write_whole

SUDO = ["sudo", "--preserve-env=NEXUS_ENV,NEXUS_LAB_DIRECTORY", sys.executable, "-m", "nexus.provider.lab"]


def up(environment: LabEnvironment) -> bool:
    """Bring every host of the environment up; returns whether there was anything to do.

    Repairs what an interrupted run, a reboot of the machine or a deleted checkout has left. Raises LabError if
    the machine cannot run a lab, or if hosts of another checkout with the same name or address run on it.
    """
    check_addresses(environment)
    _refuse_where_impossible(environment)
    os.umask(0o022)  # files written from here on belong to hosts, whose daemons must read them
    with locked(environment.machine_directory):
        hosts = [Host(environment, host) for host in environment.hosts]
        changed = _take_over(environment)
        root = base.ensure(environment.machine_directory, environment.settings)
        changed |= _remove_unplanned(environment)
        running = [host for host in hosts if host.running()]
        changed |= network.up(environment.machine_directory, [host.interface for host in running])
        changed |= _make_missing(hosts, root)
        changed |= access.write(environment, {host.name: host.host_key() for host in hosts})
        changed |= start_missing(hosts)
    return changed


def up_as_root(environment: LabEnvironment) -> None:
    """`up`, through sudo if this process is not root's."""
    if not os.geteuid():
        up(environment)
    elif subprocess.run([*SUDO, "up", environment.name], cwd=PROJECT, check=False).returncode:
        raise LabError(f"the hosts of {environment.name} are not up: see the output above")


def down_as_root(environment: LabEnvironment) -> None:
    """`down`, through sudo if this process is not root's."""
    if not os.geteuid():
        down(environment)
    elif subprocess.run([*SUDO, "down", environment.name], cwd=PROJECT, check=False).returncode:
        raise LabError(f"the hosts of {environment.name} are not removed: see the output above")


def down(environment: LabEnvironment, force: bool = False) -> None:
    """Remove the environment's hosts and all their files; with the last environment, the network too."""
    with locked(environment.machine_directory):
        owner = _owner(environment)
        if owner and _is_other_checkout(environment, owner) and not force:
            raise LabError(_refusal(environment, owner))
        for host in _hosts_on_machine(environment):
            host.remove()
        remove_tree(environment.directory)
        access.remove(environment)
        _network_down_if_last(environment)


def down_all(environment: LabEnvironment, force: bool = False, with_base: bool = False) -> None:
    """`down` for every environment on the machine; optionally removes the base systems too."""
    parent = environment.machine_directory / "environments"
    names = sorted(entry.name for entry in parent.iterdir()) if parent.is_dir() else []
    for name in names:
        down(LabEnvironment(name, (), environment.settings), force)
    down(environment, force)
    if with_base:
        with locked(environment.machine_directory):
            base.clean(environment.machine_directory, also_whole=True)


def _refuse_where_impossible(environment: LabEnvironment) -> None:
    """LabError if the machine cannot run a lab. Checks twice: many checks need the tools installed."""
    for prepare in (None, install_tools):
        if prepare:
            prepare()
        if reason := reason_lab_cannot_run(environment.machine_directory):
            raise LabError(reason)
    load_modules()


def _owner(environment: LabEnvironment) -> dict[str, str] | None:
    """The owner of these hosts: checkout and mark, as written when they were created."""
    file = environment.directory / "owner.json"
    return dict(json.loads(file.read_text())) if file.is_file() else None


def _is_other_checkout(environment: LabEnvironment, owner: dict[str, str]) -> bool:
    """Whether a checkout other than this one still holds the key to these hosts."""
    place = Path(owner["access"])
    return place != environment.access and access.identity(place) == owner["mark"]


def _refusal(environment: LabEnvironment, owner: dict[str, str]) -> str:
    return (
        f"environment {environment.name} on this machine belongs to the checkout {owner['checkout']}"
        f" (its hosts are in {environment.directory}): run `make lab-down` there,"
        f" or `python -m nexus.provider.lab down {environment.name} --force` here"
    )


def _take_over(environment: LabEnvironment) -> bool:
    """Make this checkout the owner: remove hosts that nobody can log in to, refuse those of another checkout."""
    _refuse_taken_addresses(environment)
    owner = _owner(environment)
    mark = access.identity(environment.access)
    if owner and mark == owner["mark"] and owner["access"] == str(environment.access):
        return False
    if owner and _is_other_checkout(environment, owner) and any(h.running() for h in _hosts_on_machine(environment)):
        raise LabError(_refusal(environment, owner))
    for host in _hosts_on_machine(environment):
        say(f"lab: removing {host.name}, left by {owner['checkout'] if owner else 'an interrupted run'}")
        host.remove()
    remove_tree(environment.directory)
    record = {"checkout": str(PROJECT), "access": str(environment.access), "mark": access.make_identity(environment)}
    write_whole(environment.directory / "owner.json", json.dumps(record))
    return True


def _refuse_taken_addresses(environment: LabEnvironment) -> None:
    wanted = {host.address: host.name for host in environment.hosts}
    for other in (environment.machine_directory / "environments").glob("*/*/spec.json"):
        if other.parents[1] == environment.directory:
            continue
        address = json.loads(other.read_text())["address"]
        if address in wanted:
            raise LabError(
                f"host {wanted[address]} of {environment.name} needs {address}, which {other.parent.name} of"
                f" environment {other.parents[1].name} on this machine already has: change one of the inventories"
            )


def _hosts_on_machine(environment: LabEnvironment) -> list[Host]:
    """Every host that has a directory, planned or not."""
    if not environment.directory.is_dir():
        return []
    names = sorted(entry.name for entry in environment.directory.iterdir() if entry.is_dir())
    return [Host(environment, LabHost(name, "", ())) for name in names]


def _remove_unplanned(environment: LabEnvironment) -> bool:
    planned = {host.name for host in environment.hosts}
    extra = [host for host in _hosts_on_machine(environment) if host.name not in planned]
    for host in extra:
        say(f"lab: removing {host.name}, which the inventory no longer has")
        host.remove()
    return bool(extra)


def _make_missing(hosts: Sequence[Host], root: Path) -> bool:
    """Create hosts whose creation never finished, whose address has changed, or whose base is gone."""
    changed = False
    for host in hosts:
        spec = host.spec()
        usable = spec and (root.parent / spec["base"]).is_dir() and spec["address"] == host.address
        if not usable:
            host.kill()
            host.make(root, network.uplink_mtu(), access.public_key(host.environment))
            changed = True
        elif spec["base"] != root.name:
            say(f"lab: {host.name} runs on an older base system; `make lab-down` and `make lab-up` renew it")
    return changed


def _network_down_if_last(environment: LabEnvironment) -> None:
    parent = environment.machine_directory / "environments"
    if parent.is_dir() and any(parent.iterdir()):
        return
    network.down(environment.machine_directory)
    if parent.is_dir():
        parent.rmdir()

"""Rows about hosts and their disks: which hosts answer, what failed there, what is full."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.row import Answers, Row, amount, told, unreachable_lines
from nexus.run.run import Run

Answer = Mapping[str, Any]
PACKAGES = "a run finishes what dpkg has begun; `apt-get check` there names what is missing and removes nothing"
INODES_PERCENT = 90  # of a file system: it accepts no new files when all are used


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every host is asked about itself."""
    return {"host": {}}


def run_question(run: Run, host: Host) -> dict[str, Any]:
    """The question with the units that should run there."""
    return {"host": {"units": units(run, host.name)}}


def units(run: Run, name: str) -> list[str]:
    """Units that are planned to run on a host; none where its plan cannot be made, which other rows report."""
    found: dict[str, None] = {}
    with suppress(OperatorError):
        for role in run.hosts.roles(name):
            planned = run.hosts.plan(name, role, asking=True).units
            found |= dict.fromkeys(unit.name for unit in planned if unit.running and not unit.masked)
    return list(found)


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Hosts, then disks."""
    yield from hosts(env, answers)
    yield from disks(env, answers)


def hosts(env: Environment, answers: Answers) -> Iterator[Row]:
    """Hosts that answer, and units that failed on them."""
    silent = [host.name for host in env.hosts if host.name not in answers]
    value = f"{len(env.hosts) - len(silent)} of {len(env.hosts)} answer"
    advice = f"{', '.join(silent)}: power, network, sshd" if silent else ""
    yield Row("hosts", "login", value, "all", advice)
    names = [host.name for host in env.hosts]
    yield from unreachable_lines(answers, "host", names)
    for name, answer in told(answers, "host", names).items():
        yield from _faults(name, answer)


def _faults(name: str, answer: Answer) -> Iterator[Row]:
    """What is wrong with a host's units, mounts and packages."""
    if answer["failed"]:
        advice = "systemctl status there; a run starts our units"
        yield Row("hosts", name, f"failed: {', '.join(answer['failed'])}", "none", advice)
    failed = {unit.removesuffix(".service") for unit in answer["failed"]}
    for unit, why in answer.get("units", {}).items():
        if unit.removesuffix(".service") not in failed:
            undo = f"systemctl unmask {unit} there, then" if "masked" in why else f"systemctl status {unit} there;"
            yield Row("hosts", f"{name} {unit}", why, "running", f"{undo} run deploys/full.py")
    for place in answer.get("read_only", ()):
        advice = f"see dmesg there for the reason; mount -o remount,rw {place}"
        yield Row("hosts", f"{name} {place}", "mounted read-only", "writable", advice)
    if held := answer.get("held"):
        yield Row("hosts", f"{name} packages on hold", ", ".join(held))
    if faults := answer.get("packages"):
        yield Row("hosts", f"{name} packages", "; ".join(faults), "none unfinished", PACKAGES)


def disks(env: Environment, answers: Answers) -> Iterator[Row]:
    """File systems above the target; else the fullest one of all."""
    baseline = env.catalogue.operations.baselines.disk_percent
    found = [
        (disk["used_percent"], name, disk)
        for name, answer in told(answers, "host", (host.name for host in env.hosts)).items()
        for disk in answer["disks"]
    ]
    found.sort(key=lambda one: one[:2], reverse=True)
    for percent, name, disk in [one for one in found if one[0] > baseline.target] or found[:1]:
        value = f"{percent:.0f} % used, {amount(disk['free_bytes'])} left"
        level = next((w for w in ("critical", "warning") if percent > getattr(baseline, w)), "above target")
        advice = f"{level}: free space on {name}, or make {disk['path']} larger; a full store accepts no writes"
        missed = advice if percent > baseline.target else ""
        yield Row("disk", f"{name} {disk['path']}", value, f"at most {baseline.target:g} %", missed)
    for _, name, disk in found:
        if (used := disk.get("inodes_percent", 0)) > INODES_PERCENT:
            advice = f"df -i {disk['path']} on {name}: remove files there; without inodes it accepts no new files"
            value = f"{used:.0f} % of inodes used"
            yield Row("disk", f"{name} {disk['path']}", value, f"at most {INODES_PERCENT} %", advice)

"""Daily checks of every host: whether it answers, its load, its disks, and the errors in its journal."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from roles.base import status

REFUSED_MANY = 100  # refused logins a day on one host: somebody is guessing keys or passwords


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every host is asked."""
    return {"load": {}, "errors": {}, "logins": {}}


def resources(found: Found) -> Iterator[Row]:
    """The disk rows of the status, then processors and memory."""
    yield from status.disks(found.env, found.answers)
    yield from load(found)


def load(found: Found) -> Iterator[Row]:
    """Hosts whose processors or memory are above the baseline; the busiest host where all are below."""
    figures = found.env.catalogue.operations.baselines
    for what, baseline in (("cpu", figures.cpu_percent), ("memory", figures.memory_percent)):
        shares = sorted(((one[what], name) for name, one in found.of("load").items()), reverse=True)
        for share, name in [one for one in shares if one[0] > baseline.warning] or shares[:1]:
            level = "critical" if share > baseline.critical else "warning"
            advice = f"{level}: check what runs there, or move services with deploys/maintenance.py"
            value, target = f"{share:.0f} %", f"at most {baseline.warning:g} %"
            yield Row("", f"{name} {what}", value, target, advice if share > baseline.warning else "")


def errors(found: Found) -> Iterator[Row]:
    """Errors in the journals of the last day; a critical one misses the target."""
    for name, one in found.of("errors").items():
        if not one["count"] and not one["critical"]:
            continue
        units = ", ".join(f"{unit} {count}" for unit, count in one["units"].items())
        advice = f"{one['critical']} critical: journalctl -p crit --since -24h there" if one["critical"] else ""
        yield Row("", name, f"{one['count']} in 24 h: {units}", "none critical", advice)
    if not any(one["count"] for one in found.of("errors").values()):
        yield Row("", "journals", "no error in 24 h", "none critical")


def logins(found: Found) -> Iterator[Row]:
    """Refused logins of the last day."""
    for name, one in found.of("logins").items():
        sources = ", ".join(f"{source} {count}" for source, count in one["sources"].items())
        many = one["count"] > REFUSED_MANY
        advice = f"possible brute-force attack: close SSH to {sources or 'their sources'}" if many else ""
        if one["count"]:
            yield Row("", name, f"{one['count']} refused in 24 h: {sources}", f"at most {REFUSED_MANY}", advice)
    if not any(one["count"] for one in found.of("logins").values()):
        yield Row("", "logins", "none refused in 24 h", f"at most {REFUSED_MANY}")


SHARED = {"health-dashboard": Check(lambda found: status.hosts(found.env, found.answers), status=("base",))}
CHECKS = {
    "resource-use": Check(resources, reads=("load",), status=("base",)),
    "error-logs": Check(errors, reads=("errors",)),
    "security-logs": Check(logins, reads=("logins",)),
    "failed-logins": Check(logins, reads=("logins",)),
}

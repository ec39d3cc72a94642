"""Daily checks of the firewall: whether its rules are as planned."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from nexus.run.run import Run


def observe(run: Run, host: Host) -> dict[str, Any]:
    """How the rules in force differ from the plan."""
    return {"firewall": {"differs": [str(change) for change in run.hosts.compare(host.name, "firewall").changes]}}


def rules(found: Found) -> Iterator[Row]:
    """Whether each host has the planned rules, or none."""
    for name, own in found.of("firewall").items():
        differs = own["differs"]
        off = not found.env.host(name).setting.firewall_enabled
        now = "; ".join(differs) or ("none" if off else "as planned")
        advice = "firewall_enabled is off" if off else "run deploys/firewall.py, and find out who changed the rules"
        yield Row("", name, now, "as planned", advice if off or differs else "")


CHECKS: dict[str, Check] = {"firewall-rules": rules}

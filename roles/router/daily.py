"""Daily checks of the router: whether its ports are closed to other hosts."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from nexus.run.run import Run


def observe(run: Run, host: Host) -> dict[str, Any]:
    """How the rules that close the router's ports differ from the plan."""
    if "edge" not in host.groups:
        return {}
    changes = run.hosts.compare(host.name, "router").changes
    return {"guard": {"differs": [str(change) for change in changes if "guard" in change.what]}}


def firewall(found: Found) -> Iterator[Row]:
    """Whether the rules that close the router's ports are as planned."""
    for name, one in found.of("guard").items():
        advice = "run deploys/edge.py, and find out who changed the rules" if one["differs"] else ""
        yield Row("", f"{name} router", "; ".join(one["differs"]) or "as planned", "as planned", advice)


CHECKS: dict[str, Check] = {"firewall-rules": firewall}

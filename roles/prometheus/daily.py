"""Daily check of alerts: what fired overnight, also what has been resolved since."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from roles.alertmanager.receivers import MAINTENANCE, WATCHDOG

HOURS = 12


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each ops host is asked: one may have been down."""
    if "ops" not in host.groups:
        return {}
    return {"fired": {"port": int(host.setting.prometheus_port), "hours": HOURS, "without": [WATCHDOG, MAINTENANCE]}}


def alerts(found: Found) -> Iterator[Row]:
    """Each alert with its minutes. It misses no target: those that still fire are rows of the status."""
    longest: dict[str, float] = {}
    for one in found.of("fired").values():
        for what, minutes in one["alerts"].items():
            longest[what] = max(minutes, longest.get(what, 0))
    for what, minutes in sorted(longest.items(), key=lambda pair: -pair[1]):
        yield Row("", what, f"fired for {minutes:.0f} min in {HOURS} h", "none")
    if found.of("fired") and not longest:
        yield Row("", "alerts", f"none in {HOURS} h", "none")


CHECKS = {"overnight-alerts": Check(alerts, reads=("fired",))}

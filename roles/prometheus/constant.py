"""Alerts that always fire: the dead man's switch, and one for everything that operators closed or drained.

Nobody is told of the latter: they inhibit the alerts that they cause, for as long as the maintenance lasts.
"""

from typing import Any

from nexus.environment.environment import Environment
from roles.alertmanager.receivers import MAINTENANCE, WATCHDOG
from roles.nginx.location import closed_services


def rules(env: Environment) -> list[dict[str, Any]]:
    """The rules of the environment as operators keep it now."""
    closed = closed_services(env, env.setting.nginx_maintenance) if env.services else []
    return [
        _always(WATCHDOG, {}, "Alerts of {{ $externalLabels.environment }} arrive"),
        *(_always(MAINTENANCE, {"service": name}, f"{name} is closed for maintenance") for name in closed),
        *(_always(MAINTENANCE, {"host": name}, f"{name} is drained") for name in env.setting.swarm_drained),
    ]


def _always(name: str, labels: dict[str, str], text: str) -> dict[str, Any]:
    labels = {**labels, "severity": "none"}
    return {"alert": name, "expr": "vector(1)", "labels": labels, "annotations": {"summary": text, "fix": "nothing"}}

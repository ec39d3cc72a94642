"""Runs on an ops host: the alerts that its Alertmanager knows. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from roles.alertmanager.host.api import ask

ACTIVE = "alerts?active=true&silenced=false&inhibited=false"


def alerts(context: Mapping[str, Any]) -> dict[str, Any]:
    """Firing alerts that are neither silenced nor inhibited: labels, annotations, and the time of their start.

    "since" is when Alertmanager started: Prometheus tells it of alerts within a minute after that.
    """
    return {
        "since": ask(context, "GET", "status")["uptime"],
        "alerts": [
            {"labels": one["labels"], "annotations": one["annotations"], "at": one["startsAt"]}
            for one in ask(context, "GET", ACTIVE)
        ],
    }


PARTS = {"alerts": alerts}

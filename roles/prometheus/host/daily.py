"""Runs on an ops host: the alerts of the last hours, as Prometheus recorded them. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from roles.prometheus.host.query import vector


def fired(context: Mapping[str, Any]) -> dict[str, Any]:
    """{alert and what it concerns: minutes for which it fired} of the last hours."""
    hours, without = context["hours"], "|".join(context["without"])
    series = f'ALERTS{{alertstate="firing",alertname!~"{without}"}}'
    found = vector(context["port"], f"sum by (alertname, service, host) (sum_over_time({series}[{hours}h:1m]))")
    return {
        "alerts": {
            " ".join(labels[name] for name in ("alertname", "service", "host") if name in labels): value
            for labels, value in found
        }
    }


PARTS = {"fired": fired}

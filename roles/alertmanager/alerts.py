"""Alerts about notifications."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Notifications that fail, and Alertmanagers that do not know of each other."""
    yield Alert(
        "AlertDeliveryFailing",
        "sum by (host, integration) (rate(alertmanager_notifications_failed_total[5m]))",
        "{{ $labels.host }}: notifications by {{ $labels.integration }} fail, {{ $value }} per second",
        "journalctl -u prometheus-alertmanager there names the reason; see the settings alertmanager_...",
    )
    if len(env.group("ops")) > 1:
        yield Alert(
            "AlertmanagerAlone",
            f"alertmanager_cluster_members / {len(env.group('ops'))}",
            "{{ $labels.host }}: Alertmanager knows {{ $value | humanizePercentage }} of all: alerts may come twice",
            "deploys/monitoring.py; then journalctl -u prometheus-alertmanager there",
        )
    yield Alert(
        "AlertmanagerConfigurationRefused",
        "alertmanager_config_last_reload_successful",
        "{{ $labels.host }}: Alertmanager runs with an earlier configuration, since it could not read the latest",
        "journalctl -u prometheus-alertmanager there, then deploys/monitoring.py",
    )

"""Panels about notifications."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

PANELS = (
    value("runs", "Silences", "number", "Silences in force.", ('max(alertmanager_silences{state="active"})', "active")),
    plot(
        "runs",
        "Notifications",
        "per second",
        "Notifications by the way that they take. A failed one was not delivered.",
        ("sum by (integration) (rate(alertmanager_notifications_total[5m])) > 0", "{{integration}}"),
        ("sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0", "{{integration}}: failed"),
        absent="No notification was sent.",
    ),
    plot(
        "runs",
        "Alerts known to Alertmanager",
        "number",
        "Alerts by state; suppressed ones are silenced or follow from another alert.",
        ("max by (state) (alertmanager_alerts)", "{{state}}"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Alerts that came in, notifications that went out or failed, and silences."""
    yield from PANELS

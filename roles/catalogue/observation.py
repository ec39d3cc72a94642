"""The parts of operations.yaml that watch: targets, baselines, alerts, logs and health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from roles.catalogue.entry import Entry

if TYPE_CHECKING:
    from roles.catalogue.kind import Count, Figures, Names, Number, Path, Percent, Text, Whole


class Slo(Entry):
    """What the platform promises."""

    uptime_percent: Percent
    error_rate_percent: Percent
    mttr_hours: Number
    response_ms: dict[str, Figures]
    throughput: Figures
    service_baseline: Figures
    auth: Figures
    web_vitals: Figures


class Baseline(Entry):
    """A figure's target, and where it becomes a warning or critical."""

    target: Number
    warning: Number
    critical: Number


class AlertRule(Entry):
    """An alert: exactly one of above, below and equals says when it fires."""

    name: Text
    metric: Text
    above: Number | None = None
    below: Number | None = None
    equals: Number | None = None
    unit: Text
    for_seconds: Whole = 0
    severity: Literal["warning", "critical"]

    def objection(self) -> str:
        """Its condition has to be one."""
        one = sum(bound is not None for bound in (self.above, self.below, self.equals)) == 1
        return "" if one else "give exactly one of above, below and equals"


class AlertRouting(Entry):
    """Who hears of alerts, and how often."""

    group_by: Names
    group_wait_seconds: Count
    group_interval_seconds: Count
    repeat_interval_hours: Count
    default: Names
    critical: Names
    warning: Names
    channels: dict[str, str]


class Alerts(Entry):
    """Rules and routing."""

    evaluation_interval_seconds: Count
    job: Text
    rules: tuple[AlertRule, ...]
    routing: AlertRouting


class Severity(Entry):
    """How an incident of this severity is met; no minutes means the next business day."""

    meaning: Text
    respond_minutes: Whole | None = None
    rollback: Literal["automatic", "manual", "evaluate", "fix-forward"]


class Retention(Entry):
    """How long metrics of a resolution are kept."""

    resolution_seconds: Count | None = None
    keep: Text


class Dashboard(Entry):
    """A dashboard and what it shows."""

    id: Count
    title: Text
    shows: Names


class Monitoring(Entry):
    """What watches the platform."""

    hosts: Names
    scrape_interval_seconds: Count
    prometheus_retention_days: Count
    metric_retention: tuple[Retention, ...]
    dashboards: tuple[Dashboard, ...]
    service_metrics: Names
    auth_metrics: Names


class Logging(Entry):
    """Shape and life of logs."""

    format: Text
    fields: Names
    levels: Names
    retention_hot_days: Count
    retention_archive_days: Count
    directory: Path
    index_pattern: Text


class Check(Entry):
    """Timing of a health check."""

    initial_delay_seconds: Whole = 0
    period_seconds: Count
    timeout_seconds: Count
    failures: Count


class Sweep(Entry):
    """The regular look at what matters most."""

    every_minutes: Count
    services: Names
    stores: Names


class HealthChecks(Entry):
    """Health checks of services and stores; probe paths stand in services.yaml."""

    startup: Check
    liveness: Check
    readiness: Check
    stores: Check
    sweep: Sweep

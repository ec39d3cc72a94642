"""The parts of operations.yaml about observation: targets, baselines, alerts, logs and health checks."""

from typing import Literal, Self

from pydantic import model_validator

from nexus.catalogue import types

COMPARISONS = {"above": ">", "below": "<", "equals": "=="}


class Quantiles(types.Entry):
    """Upper bounds on times in milliseconds."""

    p50: types.Number
    p95: types.Number
    p99: types.Number


class ResponseTimes(types.Entry):
    """Upper bounds on the response times that users see."""

    api: Quantiles
    database_query: Quantiles
    page_load: Quantiles
    asset_load: Quantiles


class Throughput(types.Entry):
    """How much load the platform takes."""

    gateway_rps: types.Count
    database_qps: types.Count
    concurrent_streams: types.Count
    websocket_connections: types.Count
    concurrent_users: types.Count


class ServiceBaseline(types.Entry):
    """What is expected of each service."""

    rps: types.Count
    p50_ms: types.Number
    p95_ms: types.Number
    error_rate_percent: types.Percent
    cache_hit_percent: types.Percent
    scale_at_cpu_percent: types.Percent
    db_connections_per_replica: types.Count


class AuthTargets(types.Entry):
    """What is expected of sign-in."""

    login_p95_ms: types.Number
    token_issue_p95_ms: types.Number
    token_check_p95_ms: types.Number
    logins_per_second: types.Count


class WebVitals(types.Entry):
    """What is expected of pages in a browser."""

    fcp_ms: types.Number
    tti_ms: types.Number
    lcp_ms: types.Number
    cls: types.Number
    fid_ms: types.Number


class Slo(types.Entry):
    """What the platform promises."""

    uptime_percent: types.Percent
    error_rate_percent: types.Percent
    mttr_hours: types.Number
    response_ms: ResponseTimes
    throughput: Throughput
    service_baseline: ServiceBaseline
    auth: AuthTargets
    web_vitals: WebVitals


class Baseline(types.Entry):
    """A figure's target, and where it becomes a warning or critical."""

    target: types.Number
    warning: types.Number
    critical: types.Number


class Baselines(types.Entry):
    """Figures that runbooks compare hosts and services with."""

    api_p95_ms: Baseline
    error_rate_percent: Baseline
    cpu_percent: Baseline
    memory_percent: Baseline
    db_connections: Baseline
    disk_percent: Baseline


class AlertRule(types.Entry):
    """An alert. Exactly one of above, below and equals defines when it fires; one that is off does not exist."""

    name: types.AlertName
    metric: types.Text
    above: types.Number | None = None
    below: types.Number | None = None
    equals: types.Number | None = None
    unit: types.Text
    for_seconds: types.Whole = 0
    severity: Literal["warning", "critical"]
    off: bool = False

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        if len(self._conditions) != 1:
            raise types.wrong("give exactly one of above, below and equals", ([*self._conditions] or ["above"])[-1])
        return self

    @property
    def _conditions(self) -> dict[str, float]:
        given = {name: getattr(self, name) for name in COMPARISONS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def threshold(self) -> float:
        """The number that the metric is compared with."""
        return next(iter(self._conditions.values()))

    @property
    def comparison(self) -> str:
        """The comparison with which it fires, as Prometheus writes it."""
        return COMPARISONS[next(iter(self._conditions))]


class AlertRouting(types.Entry):
    """Who receives alerts, and how often."""

    group_by: types.Names
    group_wait_seconds: types.Count
    group_interval_seconds: types.Count
    repeat_interval_hours: types.Count
    default: types.Names
    critical: types.Names
    warning: types.Names
    channels: dict[types.Text, types.Line]


class Alerts(types.Entry):
    """Rules and routing."""

    evaluation_interval_seconds: types.Count
    job: types.Text
    rules: tuple[AlertRule, ...]
    routing: AlertRouting


class Severity(types.Entry):
    """The response to an incident of this severity; no minutes means the next business day."""

    meaning: types.Text
    respond_minutes: types.Whole | None = None
    rollback: Literal["automatic", "manual", "evaluate", "fix-forward"]


class Severities(types.Entry):
    """The severities that an incident can have."""

    P1: Severity
    P2: Severity
    P3: Severity
    P4: Severity


class Retention(types.Entry):
    """How long metrics of a resolution are kept."""

    resolution_seconds: types.Count | None = None
    keep: types.Duration


class Dashboard(types.Entry):
    """A dashboard and what it shows."""

    id: types.Count
    title: types.Text
    shows: types.Names


class Monitoring(types.Entry):
    """What watches the platform."""

    hosts: types.Names
    scrape_interval_seconds: types.Count
    prometheus_retention_days: types.Count
    metric_retention: tuple[Retention, ...]
    dashboards: tuple[Dashboard, ...]
    service_metrics: types.Names
    auth_metrics: types.Names


class Logging(types.Entry):
    """Format and retention of logs."""

    format: types.Text
    fields: types.Names
    levels: types.Names
    retention_hot_days: types.Count
    retention_archive_days: types.Count
    directory: types.Path
    index_pattern: types.Text


class Check(types.Entry):
    """Timing of a health check."""

    initial_delay_seconds: types.Whole = 0
    period_seconds: types.Count
    timeout_seconds: types.Count
    failures: types.Count


class Sweep(types.Entry):
    """The regular check of the most important services and stores."""

    every_minutes: types.Count
    services: types.Services
    stores: tuple[types.StoreRef, ...]


class HealthChecks(types.Entry):
    """Health checks of services and stores; probe paths are in services.yaml."""

    startup: Check
    liveness: Check
    readiness: Check
    stores: Check
    sweep: Sweep

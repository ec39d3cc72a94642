"""operations.yaml: ports, stores, backups, roll-outs and every other figure of daily operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roles.catalogue.entry import Entry
from roles.catalogue.observation import Alerts, Baseline, HealthChecks, Logging, Monitoring, Severity, Slo
from roles.catalogue.tuning import Tuning

if TYPE_CHECKING:
    from roles.catalogue.kind import (
        Count,
        Cpu,
        Filled,
        Memory,
        Names,
        Number,
        Path,
        Percent,
        Port,
        Text,
        Whole,
    )


class PlatformPort(Entry):
    """A port that something of the platform, no service, listens on where a host is in one of the groups."""

    name: Text
    port: Port
    groups: Names


class Bucket(Entry):
    """Where backups go."""

    name: Text
    storage_class: Text


class Backups(Entry):
    """What is saved, how often, and for how long."""

    database: dict[str, Count]
    volumes: dict[str, Count]
    redis: dict[str, Count | str]
    auth_tables: dict[str, Count]
    directory: Path
    bucket: Bucket
    timer: Text
    service: Text
    verify: Names
    restore_test_every_days: Count


class DisasterRecovery(Entry):
    """How much may be lost, and for how long."""

    rpo_hours: Number
    rto_hours: Number
    regions: Names
    watch_after_recovery_hours: Count
    recovery_order: Names
    drill_every_days: Count


class SingleServiceFailover(Entry):
    """When a service counts as down."""

    failed_checks: Count
    detect_seconds: Count


class PostgresqlFailover(Entry):
    """How far a replica may lag, and whether it is written synchronously."""

    lag_tolerance_seconds: Count
    synchronous: bool


class RedisFailover(Entry):
    """The name under which Sentinels know the primary."""

    master_name: Text


class Failover(Entry):
    """What happens when something is lost."""

    single_service: SingleServiceFailover
    postgresql: PostgresqlFailover
    redis: RedisFailover
    cluster_steps: Names
    secondary_replicas: Count
    first_alert_minutes: Count
    stakeholders_minutes: Count
    update_every_minutes: Count


class CircuitBreaker(Entry):
    """When calls to a failing service stop, and when they are tried again."""

    open_after_failures: Count
    half_open_after_seconds: Count
    close_after_successes: Count
    full_reset_seconds: Count


class RollbackTriggers(Entry):
    """What makes a release go back."""

    error_rate_percent: Percent
    slowdown_percent: Number
    events: Names


class AutomaticRollback(Entry):
    """What makes it go back without anybody asking."""

    readiness_failing_seconds: Count
    events: Names


class Rollback(Entry):
    """How a release goes back."""

    triggers: RollbackTriggers
    automatic: AutomaticRollback
    order: Names
    steps_before: Names
    verify_error_rate_percent: Percent
    verify: Names
    smoke_tests: Names
    post_update_every_minutes: Count
    post_mortem_for: Names


class Canary(Entry):
    """Share of the traffic that a new release gets, and how it grows."""

    start_percent: Percent
    step_percent: Percent
    every_minutes: Count


class Rollout(Entry):
    """How a release goes forward."""

    max_surge: Count
    max_unavailable: Whole
    progress_deadline_seconds: Count
    min_ready_seconds: Whole
    canary: Canary
    graceful_stop_seconds: Count
    api_deprecation_notice_days: Count
    checks_before: Names


class Phase(Entry):
    """A step of start-up and its share of the time allowed."""

    phase: Count
    name: Text
    from_seconds: Whole
    to_seconds: Count


class ScalingRule(Entry):
    """Bounds on replicas, and the load at which more are wanted."""

    min: Count
    max: Count
    cpu_percent: Percent
    memory_percent: Percent


class ScalingStep(Entry):
    """How fast replicas come or go."""

    stabilise_seconds: Count
    step_percent: Percent
    period_seconds: Count


class Limits(Entry):
    """Upper bounds beside the requests of a service."""

    cpu: Cpu
    memory: Memory


class Scaling(Entry):
    """Replicas under load."""

    default: ScalingRule
    services: dict[str, ScalingRule]
    limits: dict[str, Limits]
    up: ScalingStep
    down: ScalingStep


class Store(Entry):
    """A store that services may name; its figures are those of the documents."""

    group: Text
    version: Text | None = None
    instances: Count | None = None
    storage_gb: Count | None = None
    memory_gb: Count | None = None


class OperationsFile(Entry):
    """operations.yaml as a whole."""

    slo: Slo
    baselines: dict[str, Baseline]
    alerts: Alerts
    severity: dict[str, Severity]
    escalation: dict[str, Count]
    monitoring: Monitoring
    ports: tuple[PlatformPort, ...]
    logging: Logging
    health_checks: HealthChecks
    backups: Backups
    disaster_recovery: DisasterRecovery
    failover: Failover
    circuit_breaker: CircuitBreaker
    fallbacks: dict[str, str]
    rollback: Rollback
    rollout: Rollout
    startup: Filled[Phase]
    startup_checks: Names
    scaling: Scaling
    stores: dict[str, Store]
    tuning: Tuning
    auth_policy: dict[str, dict[str, bool | int | str | Names]]
    daily_checks: dict[str, Names]
    weekly_checks: Names
    monthly_checks: Names
    infrastructure: dict[str, Count | Names | dict[str, str]]

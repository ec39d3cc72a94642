"""operations.yaml: ports, stores, backups, roll-outs and every other figure of daily operation."""

from typing import Self

from pydantic import ConfigDict, model_validator

from nexus.catalogue import types
from nexus.catalogue.observation import Alerts, Baselines, HealthChecks, Logging, Monitoring, Severities, Slo
from nexus.catalogue.policy import AuthPolicy, DailyChecks, Escalation, Infrastructure
from nexus.catalogue.recovery import Backups, CircuitBreaker, DisasterRecovery, Failover
from nexus.catalogue.tuning import Tuning

STORE_GROUPS = {"object-storage": "storage"}  # other groups have the name of their store


class PlatformPort(types.Entry):
    """A port on which a part of the platform other than a service listens, on hosts in these groups."""

    name: types.Word
    port: types.Port
    groups: types.Filled[types.Group]


class RollbackTriggers(types.Entry):
    """What causes a rollback."""

    error_rate_percent: types.Percent
    slowdown_percent: types.Number
    events: types.Names


class AutomaticRollback(types.Entry):
    """What causes an automatic rollback."""

    readiness_failing_seconds: types.Count
    events: types.Names


class Rollback(types.Entry):
    """How a rollback is done."""

    triggers: RollbackTriggers
    automatic: AutomaticRollback
    order: types.Services
    steps_before: types.Names
    verify_error_rate_percent: types.Percent
    verify: types.Names
    smoke_tests: types.Names
    post_update_every_minutes: types.Count
    post_mortem_for: types.Names


class Canary(types.Entry):
    """The share of traffic for a new release, and how it grows."""

    start_percent: types.WholePercent
    step_percent: types.WholePercent
    every_minutes: types.Count


class Rollout(types.Entry):
    """How a rollout is done."""

    max_surge: types.Count
    max_unavailable: types.Whole
    progress_deadline_seconds: types.Count
    min_ready_seconds: types.Whole
    canary: Canary
    graceful_stop_seconds: types.Count
    api_deprecation_notice_days: types.Count
    checks_before: types.Names


class Phase(types.Entry):
    """A phase of start-up and its share of the allowed time."""

    phase: types.Few
    name: types.Text
    from_seconds: types.Whole
    to_seconds: types.Count


class ScalingRule(types.Entry):
    """Bounds on replicas, and the load at which more are needed."""

    min: types.Few
    max: types.Few
    cpu_percent: types.Percent
    memory_percent: types.Percent


class ScalingStep(types.Entry):
    """How fast replicas are added or removed."""

    stabilise_seconds: types.Count
    step_percent: types.Percent
    period_seconds: types.Count


class Limits(types.Entry):
    """Upper bounds in addition to the requests of a service."""

    cpu: types.Cpu
    memory: types.Memory


class Scaling(types.Entry):
    """Replicas under load."""

    default: ScalingRule
    services: dict[types.ServiceRef, ScalingRule]
    limits: dict[types.ServiceRef, Limits]
    up: ScalingStep
    down: ScalingStep


class Store(types.Entry):
    """A store that services may name, with figures from the documents."""

    group: types.Group
    version: types.Word | None = None
    instances: types.Few | None = None
    storage_gb: types.Count | None = None
    memory_gb: types.Count | None = None


class Stores(types.Entry):
    """The stores that have roles, each installed on the group of its name."""

    model_config = ConfigDict(alias_generator=types.with_hyphens)

    postgresql: Store
    redis: Store
    rabbitmq: Store
    mongodb: Store
    object_storage: Store

    @model_validator(mode="after")
    def _groups_are_those_of_the_roles(self) -> Self:
        for name, store in self.by_name.items():
            if store.group != (group := STORE_GROUPS.get(name, name)):
                raise types.wrong(f"{store.group!r} is wrong: {name} is installed on the group {group}", name, "group")
        return self

    @property
    def by_name(self) -> dict[str, Store]:
        """All stores by the names that services use."""
        return {types.with_hyphens(name): store for name, store in self}


class OperationsFile(types.Entry):
    """operations.yaml as a whole."""

    slo: Slo
    baselines: Baselines
    alerts: Alerts
    severity: Severities
    escalation: Escalation
    monitoring: Monitoring
    ports: tuple[PlatformPort, ...]
    logging: Logging
    health_checks: HealthChecks
    backups: Backups
    disaster_recovery: DisasterRecovery
    failover: Failover
    circuit_breaker: CircuitBreaker
    fallbacks: dict[types.Text, types.Line]
    rollback: Rollback
    rollout: Rollout
    startup: types.Filled[Phase]
    startup_checks: types.Names
    scaling: Scaling
    stores: Stores
    tuning: Tuning
    auth_policy: AuthPolicy
    daily_checks: DailyChecks
    weekly_checks: types.Names
    monthly_checks: types.Names
    infrastructure: Infrastructure

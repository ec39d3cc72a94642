"""The parts of operations.yaml about losses: backups, recovery, failover, circuit breakers."""

from typing import Literal, Self

from pydantic import model_validator

from nexus.catalogue import types


class Bucket(types.Entry):
    """Where backups go."""

    name: types.BucketName
    storage_class: types.Word


class DatabaseBackups(types.Entry):
    """Backups of PostgreSQL."""

    full_every_hours: types.Count
    incremental_every_hours: types.HoursOfDay
    retention_days: types.Count
    local_retention_days: types.Count


class VolumeBackups(types.Entry):
    """Backups of files."""

    every_hours: types.Count
    retention_days: types.Count


class RedisBackups(types.Entry):
    """Snapshots of Redis."""

    persist_every_minutes: types.Count
    export: Literal["rdb"]


class AuthTableBackups(types.Entry):
    """Backups of the tables of sign-in."""

    full_every_hours: types.Count


class Backups(types.Entry):
    """What is saved, how often, and for how long."""

    database: DatabaseBackups
    volumes: VolumeBackups
    redis: RedisBackups
    auth_tables: AuthTableBackups
    directory: types.Path
    bucket: Bucket
    timer: types.TimerUnit
    service: types.ServiceUnit
    verify: types.Names
    restore_test_every_days: types.DaysOfMonth

    @model_validator(mode="after")
    def _timer_starts_the_service(self) -> Self:
        wanted = f"{self.timer.removesuffix('.timer')}.service"
        if self.service != wanted:
            text = f"{self.service!r}: {self.timer} starts the service of the same name; write {wanted}"
            raise types.wrong(text, "service")
        return self


class DisasterRecovery(types.Entry):
    """How much data may be lost, and how long recovery may take."""

    rpo_hours: types.Positive
    rto_hours: types.Positive
    regions: types.Filled[types.Text]
    watch_after_recovery_hours: types.Count
    recovery_order: types.Names
    drill_every_days: types.Count


class SingleServiceFailover(types.Entry):
    """When a service counts as down."""

    failed_checks: types.Count
    detect_seconds: types.Count


class PostgresqlFailover(types.Entry):
    """How far a replica may lag, and whether it is written synchronously."""

    lag_tolerance_seconds: types.Count
    synchronous: bool


class RedisFailover(types.Entry):
    """The name by which Sentinels know the primary."""

    master_name: types.Word


class Failover(types.Entry):
    """What happens when a part fails."""

    single_service: SingleServiceFailover
    postgresql: PostgresqlFailover
    redis: RedisFailover
    cluster_steps: types.Names
    secondary_replicas: types.Few
    first_alert_minutes: types.Count
    stakeholders_minutes: types.Count
    update_every_minutes: types.Count


class CircuitBreaker(types.Entry):
    """When calls to a failing service stop, and when they are tried again."""

    open_after_failures: types.Count
    half_open_after_seconds: types.Count
    close_after_successes: types.Count
    full_reset_seconds: types.Count

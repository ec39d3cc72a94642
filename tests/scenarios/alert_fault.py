"""Faults that make an alert fire, set on real hosts: what is done, how it is undone, and what the alert names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FAILED_UNIT = "nexus-test-failed"


@dataclass(frozen=True)
class AlertFault:
    """Commands for one host of `group`, as root.

    `about` is what the alert names: empty for that host, "-" for nothing. Faults of one `batch` are set at the same
    time; those of batch 0 run in `make test`.
    """

    alert: str
    group: str
    begin: str
    undo: str
    number: int = 0  # of the host within its group
    about: str = ""
    batch: int = 0

    def host(self, names: Sequence[str]) -> str:
        """The host, of the names of the group."""
        return names[self.number]

    def concerns(self, names: Sequence[str]) -> str:
        """The host or service that the alert names; empty if it names none."""
        return {"": self.host(names), "-": ""}.get(self.about, self.about)


def stopped(alert: str, group: str, unit: str, number: int = 0, about: str = "", batch: int = 0) -> AlertFault:
    """A unit that does not run."""
    return AlertFault(alert, group, f"systemctl stop {unit}", f"systemctl start {unit}", number, about, batch)


PATRONICTL = "patronictl -c /etc/patroni/config.yml"
FAULTS: Sequence[AlertFault] = (
    stopped("TargetDown", "app", "prometheus-node-exporter"),
    stopped("PgbouncerDown", "postgresql", "pgbouncer"),
    AlertFault("UnitFailed", "ops", f"systemd-run --unit={FAILED_UNIT} false", f"systemctl reset-failed {FAILED_UNIT}"),
    # Two of three hosts of the data tier stay as they are.
    stopped("EtcdMembersMissing", "etcd", "etcd", number=2, about="-", batch=1),
    stopped("PostgresqlDown", "postgresql", "patroni", number=2, batch=1),
    stopped("RedisDown", "redis", "redis-server@cache", number=2, batch=1),
    stopped("RabbitmqNodesMissing", "rabbitmq", "rabbitmq-server", number=2, about="-", batch=1),
    AlertFault(
        "PostgresqlFailoverPaused",
        "postgresql",
        f"{PATRONICTL} pause --wait",
        f"{PATRONICTL} resume --wait",
        about="-",
        batch=2,
    ),
    AlertFault(
        "RabbitmqAlarm",
        "rabbitmq",
        "rabbitmqctl -q set_disk_free_limit 900GB",
        "rabbitmqctl -q set_disk_free_limit 512MB",
        batch=2,
    ),
    stopped("EtcdNoLeader", "etcd", "etcd", number=1, about="data1", batch=3),
    stopped("EtcdMembersMissing", "etcd", "etcd", number=2, about="-", batch=3),
)

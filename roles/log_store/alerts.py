"""Alerts about the log store."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.storage.plan import present


def alerts(env: Environment) -> Iterator[Alert]:
    """Lines that may be lost, since journals are not packed before the size needs their space."""
    if not present(env):
        return  # nothing is packed
    yield Alert(
        "LogsNotPacked",
        "time() - nexus_log_store_packed_timestamp_seconds",
        "{{ $labels.host }}: journals were last packed {{ $value | humanizeDuration }} ago, the limit is "
        "{threshold} s; the oldest are lost when the log store is full",
        "journalctl -u nexus-log-pack there; deploys/status.py shows object storage; deploys/monitoring.py",
    )

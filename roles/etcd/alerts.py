"""Alerts about etcd, which decides about PostgreSQL's primary and keeps the lock of runs."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

QUOTA = "etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes"
FSYNC = "histogram_quantile(0.99, sum by (host, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))"


def alerts(env: Environment) -> Iterator[Alert]:
    """Leader, members, speed of the disk, size."""
    members = len(env.group("etcd"))
    yield Alert(
        "EtcdNoLeader",
        "etcd_server_has_leader",
        "{{ $labels.host }}: etcd has no leader; PostgreSQL cannot elect a primary",
        "bring a majority of the hosts of etcd back; journalctl -u etcd",
    )
    yield Alert(
        "EtcdMembersMissing",
        f"{members} - (count(etcd_server_has_leader) or vector(0))",
        f"{{{{ $value }}}} of {members} members of etcd do not answer",
        "deploys/status.py names them; deploys/data.py",
    )
    yield Alert(
        "EtcdFsyncSlow",
        FSYNC,
        "{{ $labels.host }}: 1 % of etcd's writes to disk take longer than {{ $value | humanizeDuration }}",
        "find what else writes to this disk; etcd needs a fast one",
    )
    yield Alert(
        "EtcdSpaceLow",
        QUOTA,
        "{{ $labels.host }}: etcd uses {{ $value | humanizePercentage }} of its quota; full, it accepts no writes",
        "etcdctl compact and defrag there, or raise etcd_quota_bytes",
    )

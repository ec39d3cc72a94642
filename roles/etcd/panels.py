"""Panels about etcd."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

BOARD = "etcd"

PANELS = (
    value(
        BOARD,
        "Members with a leader",
        "number",
        "Members that know a leader. Normal: all.",
        ("sum(etcd_server_has_leader)", "members"),
    ),
    plot(BOARD, "Leader", "yes or no", "Which member leads.", ("etcd_server_is_leader", "{{host}}")),
    plot(
        BOARD,
        "Changes of leader",
        "number",
        "Elections in 15 minutes that a member has seen. Normal: 0, but for restarts.",
        ("increase(etcd_server_leader_changes_seen_total[15m])", "{{host}}"),
    ),
    plot(
        BOARD,
        "Proposals",
        "per second",
        "Writes that the members agreed on, and those that failed.",
        ("max(rate(etcd_server_proposals_committed_total[5m]))", "committed"),
        ("sum(rate(etcd_server_proposals_failed_total[5m]))", "failed"),
    ),
    plot(
        BOARD,
        "Slowest writes to the log",
        "seconds",
        "99 of 100 writes are faster. Above 0.1 s members lose their leader.",
        (
            "histogram_quantile(0.99, sum by (host, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))",
            "{{host}}",
        ),
    ),
    plot(
        BOARD,
        "Size of the data",
        "ratio",
        "Share of the size at which etcd accepts no more writes.",
        ("etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes", "{{host}}"),
    ),
)
BETWEEN = plot(
    BOARD,
    "Way between members",
    "seconds",
    "99 of 100 messages to another member and back are faster.",
    (
        "histogram_quantile(0.99, sum by (host, le) (rate(etcd_network_peer_round_trip_time_seconds_bucket[5m])))",
        "{{host}}",
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Leader, proposals, times of the disk, size, and the way between members."""
    yield from (*PANELS, *((BETWEEN,) if len(env.group("etcd")) > 1 else ()))

"""Panels about alerts, and about Prometheus itself."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, table, value

PANELS = (
    value(
        "overview",
        "Firing alerts",
        "number",
        "Alerts that fire now, without the one that always does. Normal: 0.",
        ('count(ALERTS{alertstate="firing",severity!="none"}) or vector(0)', "firing"),
    ),
    value(
        "overview",
        "Targets that do not answer",
        "number",
        "Planned exporters and daemons whose metrics cannot be read. Normal: 0.",
        ("sum(up == bool 0)", "down"),
    ),
    plot(
        "overview",
        "Alerts",
        "number",
        "Alerts that fire, by name.",
        ('count by (alertname) (ALERTS{alertstate="firing",severity!="none"})', "{{alertname}}"),
        absent="No alert fired.",
    ),
    table(
        "overview",
        "Exporters",
        "For each kind of exporter, how many are planned and how many answer.",
        "job",
        ("count by (job) (up)", "planned", "number"),
        ("sum by (job) (up)", "answer", "number"),
    ),
    plot(
        "overview",
        "Requests from outside",
        "yes or no",
        "Whether each edge host answers a request to this name and path, as an ops host makes it.",
        ('min by (server) (probe_success{job="probe"})', "{{server}}"),
    ),
    value(
        "runs",
        "Last run",
        "seconds",
        "Time since a run last changed the environment.",
        ("time() - max(nexus_run_timestamp_seconds)", "ago"),
    ),
    value(
        "runs",
        "Last run completed",
        "yes or no",
        "No: see who ran it with deploys/history.py, then run deploys/full.py.",
        ("min(nexus_run_complete)", "completed"),
    ),
    value("runs", "Open runs", "number", "Runs that have begun and not ended.", ("sum(nexus_run_open)", "open")),
    plot(
        "runs",
        "Runs",
        "number",
        "Beginnings and ends of runs in 15 minutes.",
        ("changes(nexus_run_timestamp_seconds[15m])", "{{host}}"),
    ),
    plot(
        "runs",
        "Restarts",
        "number",
        "Daemons and exporters of each kind that started again in 15 minutes, as runs, reboots and faults make them.",
        ("sum by (job) (changes(process_start_time_seconds[15m])) > 0", "{{job}}"),
        absent="Nothing restarted.",
    ),
    plot(
        "runs",
        "Series in memory",
        "number",
        "Series that Prometheus holds; each costs memory.",
        ("prometheus_tsdb_head_series", "{{host}}"),
    ),
    plot(
        "runs",
        "Samples read",
        "per second",
        "Values that Prometheus takes from all exporters.",
        ("rate(prometheus_tsdb_head_samples_appended_total[5m])", "{{host}}"),
    ),
    plot(
        "runs",
        "Slowest exporters",
        "seconds",
        "How long a scrape takes, the slowest exporter of each kind. Below 8 s is normal.",
        ("max by (job) (scrape_duration_seconds)", "{{job}}"),
    ),
    plot(
        "runs",
        "Disk of Prometheus",
        "bytes",
        "Blocks on disk and the log of what is not yet in a block.",
        ("prometheus_tsdb_storage_blocks_bytes", "{{host}}: blocks"),
        ("prometheus_tsdb_wal_storage_size_bytes", "{{host}}: log"),
    ),
    plot(
        "runs",
        "Reloads of Prometheus's configuration",
        "number",
        "New configurations in 15 minutes: runs that changed targets or rules.",
        ("changes(prometheus_config_last_reload_success_timestamp_seconds[15m])", "{{host}}"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Alerts, targets, scrapes and data."""
    yield from PANELS

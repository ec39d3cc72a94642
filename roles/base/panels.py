"""Panels about hosts."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, table, value

DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs|fuse.*"'
USED = f"1 - node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}}"
BUSY = '1 - avg by (host) (rate(node_cpu_seconds_total{mode="idle"}[5m]))'
MEMORY = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
DEVICE = 'device!~"lo|veth.*|docker.*|br-.*"'
NOW = "infrastructure"

PANELS = (
    value("overview", "Hosts", "number", "Hosts whose metrics arrive.", ('count(up{job="node"} == 1)', "up")),
    value(
        "overview",
        "Failed units",
        "number",
        "Units of systemd that failed, on all hosts. Normal: 0.",
        ('sum(node_systemd_unit_state{state="failed"})', "failed"),
    ),
    plot(NOW, "Processor", "ratio", "Share of all cores that is busy.", (BUSY, "{{host}}")),
    plot(NOW, "Load", "number", "Processes that run or wait, as an average of 5 minutes.", ("node_load5", "{{host}}")),
    plot(NOW, "Memory", "ratio", "Share of the memory that is in use, without caches.", (MEMORY, "{{host}}")),
    plot(
        NOW,
        "Fullest disk",
        "ratio",
        "Share of the fullest file system of each host that is in use. Below 90 % is normal.",
        (f"max by (host) ({USED})", "{{host}}"),
    ),
    plot(
        NOW,
        "Disks at work",
        "ratio",
        "Share of the time in which the busiest disk of each host works.",
        ("max by (host) (rate(node_disk_io_time_seconds_total[5m]))", "{{host}}"),
    ),
    plot(
        NOW,
        "Received from the network",
        "bytes per second",
        "All network devices of a host except those of containers.",
        (f"sum by (host) (rate(node_network_receive_bytes_total{{{DEVICE}}}[5m]))", "{{host}}"),
    ),
    plot(
        NOW,
        "Sent to the network",
        "bytes per second",
        "All network devices of a host except those of containers.",
        (f"sum by (host) (rate(node_network_transmit_bytes_total{{{DEVICE}}}[5m]))", "{{host}}"),
    ),
)

SELDOM = (
    plot(
        NOW,
        "Waiting for processor, disk or memory",
        "ratio",
        "Share of the time in which some process waits (pressure stall information), the worst host of each kind.",
        ("max(rate(node_pressure_cpu_waiting_seconds_total[5m]))", "processor"),
        ("max(rate(node_pressure_io_waiting_seconds_total[5m]))", "disk"),
        ("max(rate(node_pressure_memory_waiting_seconds_total[5m]))", "memory"),
    ),
    plot(
        NOW,
        "Clock offset",
        "seconds",
        "Distance of the clock from that of Prometheus; it includes the time that a scrape takes.",
        ("abs(node_time_seconds - timestamp(node_time_seconds))", "{{host}}"),
    ),
    plot(
        NOW,
        "Processes killed for lack of memory",
        "number",
        "Kills by the kernel in 15 minutes, in control groups too. Normal: 0.",
        ("increase(node_vmstat_oom_kill[15m])", "{{host}}"),
    ),
    table(
        NOW,
        "Hosts",
        "The present state of each host.",
        "host",
        (BUSY, "processor", "ratio"),
        (f"max by (host) ({MEMORY})", "memory", "ratio"),
        (f"max by (host) ({USED})", "fullest disk", "ratio"),
        ("max by (host) (time() - node_boot_time_seconds)", "runs for", "seconds"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Processor, memory, disks, network, units and clocks."""
    yield from (*PANELS, *SELDOM)

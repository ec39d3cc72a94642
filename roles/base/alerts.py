"""Alerts about hosts."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

# Disks that keep data; those of a running system in memory are no one's to clear.
DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs|fuse.*"'
LINKS = 'device!~"lo|veth.*|docker.*|br-.*"'
FREE = f"node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}}"
NEARLY_FULL = 0.3  # a disk with more space than this is not about to be full, however fast it grows at the moment
DAY_SECONDS = 86400
SPACE = "free space there; deploys/status.py names the largest users"


def alerts(env: Environment) -> Iterator[Alert]:
    """Disks, clocks, units, memory and network of each host."""
    yield from _disks(6 * 3600 // env.catalogue.operations.monitoring.scrape_interval_seconds * 9 // 10)
    yield from _kernel()
    yield Alert(
        "UnitFailed",
        'node_systemd_unit_state{state="failed"}',
        "{{ $labels.host }}: unit {{ $labels.name }} failed",
        "journalctl -u {{ $labels.name }} there, then deploys/full.py",
    )
    yield Alert(
        "RebootRequired",
        "nexus_reboot_required_seconds",
        "{{ $labels.host }}: it has needed a reboot for {{ $value | humanizeDuration }}, the limit is {threshold} s",
        "pyinfra inventory deploys/update.py -y --data host={{ $labels.host }}",
    )
    yield Alert(
        "TextfileStale",
        "(time() - node_textfile_mtime_seconds) / on (host, file) nexus_textfile_interval_seconds",
        "{{ $labels.host }}: {{ $labels.file }} is {{ $value | humanize }} intervals old, the limit is {threshold}",
        "systemctl list-timers 'nexus-metrics-*' there, journalctl -u 'nexus-metrics-*'; deploys/monitoring.py",
    )


def _disks(samples: int) -> Iterator[Alert]:
    """`samples` are most of those that six hours have."""
    yield Alert(
        "DiskSpaceLow",
        FREE,
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is free, "
        "the limit is {threshold}",
        SPACE,
    )
    yield Alert(
        "DiskFullSoon",
        # Also by the last half hour: what was written in one go, as by a deploy, does not grow on. A young host has
        # too few samples to tell.
        " and ".join(
            (
                *(f"{_in_a_day(window)} {{limit}}" for window in ("6h", "30m")),
                f"{FREE} < {NEARLY_FULL}",
                f"count_over_time(node_filesystem_avail_bytes{{{DISK}}}[6h]) > {samples}",
            )
        ),
        "{{ $labels.host }}: {{ $labels.mountpoint }} will be full within a day: by then {{ $value | humanize1024 }}B "
        "would be free, as it has grown in the last hours",
        SPACE,
    )
    yield Alert(
        "InodesLow",
        f"node_filesystem_files_free{{{DISK}}} / (node_filesystem_files{{{DISK}}} > 0)",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of inodes of {{ $labels.mountpoint }} are free, "
        "the limit is a share of {threshold}",
        "find the directory with the most files there: du --inodes -x -d 3 {{ $labels.mountpoint }} | sort -n",
    )
    yield Alert(
        "FilesystemReadOnly",
        f"node_filesystem_readonly{{{DISK}}}",
        "{{ $labels.host }}: {{ $labels.mountpoint }} is read-only",
        "journalctl -k there; a disk that fails has to be replaced before it is mounted again",
    )


def _kernel() -> Iterator[Alert]:
    """What the kernel says; hosts that share one all say the same."""
    yield Alert(
        "MemoryLow",
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of memory is available, "
        "the limit is a share of {threshold}",
        "systemd-cgtop -m there; deploys/maintenance.py --data host={{ $labels.host }} moves services away",
    )
    yield Alert(
        "OutOfMemory",
        "increase(node_vmstat_oom_kill[10m])",
        "{{ $labels.host }}: the kernel killed {{ $value | humanize }} processes for lack of memory, "
        "the limit is {threshold}",
        "journalctl -k -g 'Out of memory' there",
    )
    yield Alert(
        "LoadHigh",
        'node_load15 / on (host) group_left () count by (host) (node_cpu_seconds_total{mode="idle"})',
        "{{ $labels.host }}: {{ $value | humanize }} processes wait for each core, the limit is {threshold}",
        "top there; deploys/maintenance.py --data host={{ $labels.host }} moves services away",
    )
    yield Alert(
        "NetworkErrors",
        f"({_rate('receive_errs')} + {_rate('transmit_errs')}) "
        f"/ ({_rate('receive_packets')} + {_rate('transmit_packets')} > 0)",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of packets of {{ $labels.device }} have errors, "
        "the limit is a share of {threshold}",
        "ip -s link show {{ $labels.device }} there: cable, port, driver or MTU",
    )
    yield Alert(
        "ConntrackFull",
        "node_nf_conntrack_entries / node_nf_conntrack_entries_limit",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of tracked connections are in use, "
        "the limit is a share of {threshold}; a full table drops new ones",
        "conntrack -S there; setting base_sysctl with a larger net.netfilter.nf_conntrack_max",
    )
    yield Alert(
        "ClockOffset",
        # whatever keeps the clock, it must agree with Prometheus's: the time of the scrape is part of the difference
        "abs(node_time_seconds - timestamp(node_time_seconds))",
        "{{ $labels.host }}: its clock is {{ $value | humanize }} s off, the limit is {threshold} s",
        "chronyc tracking there and on the ops hosts",
    )


def _in_a_day(window: str) -> str:
    return f"predict_linear(node_filesystem_avail_bytes{{{DISK}}}[{window}], {DAY_SECONDS})"


def _rate(what: str) -> str:
    return f"rate(node_network_{what}_total{{{LINKS}}}[5m])"

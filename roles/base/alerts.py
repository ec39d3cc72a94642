"""Alerts about hosts."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.prometheus.alert import Alert

# Disks that keep data; those of a running system in memory are no one's to clear.
DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs|fuse.*"'


def alerts(env: Environment) -> Iterator[Alert]:
    """Disks, clocks, units and memory of each host."""
    yield Alert(
        "DiskSpaceLow",
        f"node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}}",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is free, limit {threshold}",
        "free space there; deploys/status.py names the largest users",
    )
    yield Alert(
        "UnitFailed",
        'node_systemd_unit_state{state="failed"}',
        "{{ $labels.host }}: unit {{ $labels.name }} failed",
        "journalctl -u {{ $labels.name }} there, then deploys/full.py",
    )

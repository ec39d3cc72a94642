"""Alerts about object storage."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """Volumes that take no writes or cannot be read, and a disk that fills up."""
    yield Alert(
        "StorageVolumesReadOnly",
        'sum by (host) (SeaweedFS_volumeServer_read_only_volumes{type="IsReadOnly"})',
        "{{ $labels.host }}: {{ $value }} volumes of the object storage are read-only",
        "journalctl -u seaweedfs there; free disk space and restart it",
    )
    yield Alert(
        "StorageDiskErrors",
        "sum by (host) (SeaweedFS_volumeServer_io_quarantine)",
        "{{ $labels.host }}: {{ $value }} volumes of the object storage have errors of the disk",
        "journalctl -u seaweedfs -k there; replace the disk, then deploys/backup.py",
    )
    yield Alert(
        "StorageSpaceLow",
        'SeaweedFS_volumeServer_resource{type="avail"} / ignoring (type) SeaweedFS_volumeServer_resource{type="all"}',
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of the object storage's disk is free",
        "lower backup_retention_days, or give the disk more room",
    )

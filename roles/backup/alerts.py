"""Alerts about backups: the programs on hosts leave the times of the last good ones for the node exporter."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.backup.host.record import METRIC
from roles.backup.plan import kinds_of
from roles.backup.status import PROOF
from roles.storage.plan import present
from roles.table import ROLES


def alerts(env: Environment) -> Iterator[Alert]:
    """Nothing where nothing is saved. The primary saves, so the newest time of all hosts counts."""
    if not present(env):
        return
    kinds = sorted({kind for host in ROLES.hosts("backup", env) for kind in kinds_of(env, host)})
    absent = (f'absent({METRIC}{{kind="{kind}"}})' for kind in kinds)
    yield Alert(
        "BackupTooOld",
        f'(time() - max by (kind) ({METRIC}{{kind!="{PROOF}"}})) / 3600',
        "{{ $labels.kind }}: the last good backup is {{ $value | humanize }} hours old ({threshold} allowed)",
        "deploys/status.py shows the error; deploys/backup.py makes one",
    )
    yield Alert(
        "BackupMissing",
        f"({' or '.join(absent)})",
        "{{ $labels.kind }}: no host has a record of any backup",
        "systemctl list-timers nexus-cos-backup.timer on its hosts; deploys/backup.py",
    )
    yield Alert(
        "RestoreTestTooOld",
        f'(time() - max by (kind) ({METRIC}{{kind="{PROOF}"}})) / 86400',
        "The last restore that was proven is {{ $value | humanize }} days old ({threshold} allowed)",
        "deploys/restore_test.py",
    )

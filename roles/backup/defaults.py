"""Settings of the backup role. How often and for how long: operations.yaml, backups."""

from __future__ import annotations

backup_full_hours: int = 0  # between full backups of PostgreSQL; backups.database.full_every_hours if 0
backup_differential_hours: int = 3  # between differential ones; the rest is incremental
backup_retention_days: int = 0  # backups.database.retention_days if 0

# The log is archived when a segment is full, and after so long at the latest: what may be lost with all hosts.
backup_archive_timeout_seconds: int = 60

# With the bucket out of reach the log stays on the primary until its disk is full, and no write is lost from
# the backups. More than so many GB is given up for it where this is not 0: the disk is kept free, and a point
# in time can be restored again only after the next backup.
backup_wal_queue_gb: int = 0

backup_checksum_rows: int = 1_000_000  # of larger tables the rows are counted and not summed
backup_processes: int = 2  # that compress and send side by side
backup_test_room_percent: int = 120  # free disk that a test needs, of the size of the databases

# A bucket with backups of another cluster of PostgreSQL is never written to: either that one is brought back
# (deploys/restore.py), or this says that the new one begins its own, and the old backups stay beside it.
backup_begin_anew: str = ""  # a word that names the new series, such as "second"

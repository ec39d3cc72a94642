"""Settings of the backup role; a store's role has those of its own backups. Intervals: operations.yaml, backups."""

backup_retention_days: int = 0  # the days that backups are kept; if 0, backups.database.retention_days
backup_test_room_percent: int = 120  # the free disk space that a test needs, relative to the size of the databases

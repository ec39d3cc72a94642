"""Settings of the backup role; those of a store's backups lie with its role. How often: operations.yaml, backups."""

backup_retention_days: int = 0  # backups.database.retention_days if 0
backup_test_room_percent: int = 120  # free disk that a test needs, of the size of the databases

"""Settings of the backup role; a store's role has those of its own backups. Intervals: operations.yaml, backups."""

backup_retention_days: int = 0  # the days that backups are kept; if 0, backups.database.retention_days
backup_test_room_percent: int = 120  # the free disk space that a test needs, relative to the size of the databases

# The host that keeps a copy of all buckets of our own object storage, with a store or in the group ops. Empty: another
# ops host than the storage's, else the last host with a store. "none": no copy.
backup_copy_host: str = ""
backup_copy_directory: str = "/var/lib/nexus-cos/backup-copy"  # directory of the copy
backup_copy_keep_days: int = 7  # the days that the copy keeps objects which have left their bucket
backup_copy_free_percent: int = 20  # nothing is copied that would leave less of the copy's file system free

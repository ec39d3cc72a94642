"""Settings of the runbooks that back up and restore."""

restore_backup_hours: int = 24  # how long backup.py waits for the backups that it started
restore_test_hours: int = 24  # how long restore_test.py waits for the test to end

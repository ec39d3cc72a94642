"""Restore the last backups into a scratch instance and compare; what the weekly timer does."""

from roles.restore import prove

prove()

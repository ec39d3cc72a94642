"""Runs on a host: what backups on it wrote down. Changes nothing."""

from roles.backup.host.program import records

PARTS = {"backup": lambda context: records()}

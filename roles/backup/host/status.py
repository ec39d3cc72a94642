"""Runs on a host: reports the records of its backups. Changes nothing."""

from roles.backup.host.program import records

PARTS = {"backup": lambda context: records()}

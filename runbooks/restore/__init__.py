"""Runbooks for backups: make one now, restore one, prove that backups restore."""

from runbooks.restore.backup import back_up
from runbooks.restore.restore import restore
from runbooks.restore.restore_test import prove

__all__ = ["back_up", "prove", "restore"]

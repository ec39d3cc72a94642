"""Runbooks of backups: make one now, bring something back, prove that what there is comes back."""

from runbooks.restore.backup import back_up
from runbooks.restore.restore import restore
from runbooks.restore.restore_test import prove

__all__ = ["back_up", "prove", "restore"]

"""Runbooks of backups: make one now, bring something back, prove that what there is comes back."""

from roles.restore.backup import back_up
from roles.restore.proof import prove
from roles.restore.restore import restore

__all__ = ["back_up", "prove", "restore"]

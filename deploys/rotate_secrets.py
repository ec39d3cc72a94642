"""Rotate secrets without lockouts: make new ones, use them, end the old ones.

    pyinfra inventory deploys/rotate_secrets.py -y --data secrets=postgresql/auth-service

`secrets=all` rotates all. Without `secrets` it continues the rotation that an earlier run began. `retire=true` ends
old values now that are held for clients that may still use them. `--dry` shows what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Flag, Word, arguments
from runbooks.secret import introduce, retire, switch

given = arguments(
    secrets=Word("all, or names and patterns from `make secrets-status`, separated by commas"),
    retire=Flag("end old values now, even if clients may still use them"),
    force=Flag("continue even if hosts that are not reached keep the old secrets"),
)
introduce(given.secrets, given.force)
local.include("deploys/full.py")  # stores accept both
switch()
local.include("deploys/full.py")  # services use the new ones; each task is replaced by one that is healthy first
retire(given.retire)
local.include("deploys/full.py")  # stores accept only the new ones

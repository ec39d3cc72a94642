"""Secrets are changed without anybody being locked out: made, used, and the old ones ended.

    pyinfra inventory deploys/rotate_secrets.py -y --data secrets=postgresql/auth-service

`secrets=all` for all; nothing goes on with what an earlier run began. `retire=true` ends old values now that are
held for those who may still use them. `--dry` says what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Flag, Word, arguments
from runbooks.secret import introduce, retire, switch

given = arguments(
    secrets=Word("all, or names and patterns of `make secrets-status`, separated by commas"),
    retire=Flag("end old values now, also those that clients may still use"),
    force=Flag("continue although hosts that are not reached keep old secrets"),
)
introduce(given.secrets, given.force)
local.include("deploys/full.py")  # stores accept both
switch()
local.include("deploys/full.py")  # services use the new ones, each replaced by a task that was healthy before
retire(given.retire)
local.include("deploys/full.py")  # stores accept the new ones alone

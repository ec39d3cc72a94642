"""Bring back one service's database, or whole stores.

    pyinfra inventory deploys/restore.py -y --data service=auth-service --data to=2026-11-22T19:00:00Z
    pyinfra inventory deploys/restore.py -y --data store=all --data replace=true

A database comes back beside the one that is there, or in its place with `replace=true`: what was there is saved.
`--dry` says what would happen.
"""

from roles.restore import restore

restore()

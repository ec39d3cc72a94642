"""Restore one service's database, or whole stores.

    pyinfra inventory deploys/restore.py -y --data service=auth-service --data to=2026-11-22T19:00:00Z
    pyinfra inventory deploys/restore.py -y --data store=all --data replace=true

A database is restored next to the live one, or in its place with `replace=true`: the live one is saved first.
`--dry` shows what would happen.
"""

from nexus.run.arguments import Flag, Service, Word, arguments
from runbooks.restore import restore

given = arguments(
    service=Service("the service whose database is restored"),
    store=Word("one whole store or all, instead of a service"),
    to=Word("the point in time, such as 2026-11-22T19:00:00Z, or latest", "latest"),
    replace=Flag("replace the present data, which is saved first"),
)
restore(given.service, given.store, given.to, given.replace)

"""Bring back one service's database, or whole stores.

    pyinfra inventory deploys/restore.py -y --data service=auth-service --data to=2026-11-22T19:00:00Z
    pyinfra inventory deploys/restore.py -y --data store=all --data replace=true

A database comes back beside the one that is there, or in its place with `replace=true`: what was there is saved.
`--dry` says what would happen.
"""

from nexus.run.arguments import Flag, Service, Word, arguments
from runbooks.restore import restore

given = arguments(
    service=Service("the service whose database comes back"),
    store=Word("one whole store or all, instead of a service"),
    to=Word("the point in time, as 2026-11-22T19:00:00Z, or latest", "latest"),
    replace=Flag("replace the present data, which is saved first"),
)
restore(given.service, given.store, given.to, given.replace)

"""Roll services or front ends back to their previous release, or to the one that `to` names, with its configuration.

    pyinfra inventory deploys/rollback.py --data services=auth-service
    pyinfra inventory deploys/rollback.py --data services=all
    pyinfra inventory deploys/rollback.py --data services=auth-service --data to=2.3.0
    pyinfra inventory deploys/rollback.py --data frontends=core-os

`--dry` shows what would happen.
"""

from nexus.run.arguments import Services, Word, arguments
from runbooks.release import rollback

given = arguments(
    services=Services("the services to roll back"),
    frontends=Word("the front ends to roll back, separated by commas, or all"),
    to=Word("the release to return to; the previous one if not given"),
)
rollback(given.services, given.to, given.frontends)

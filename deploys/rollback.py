"""Services back to their previous release, or to the one that `to` names, with its configuration.

    pyinfra inventory deploys/rollback.py --data services=auth-service
    pyinfra inventory deploys/rollback.py --data services=all
    pyinfra inventory deploys/rollback.py --data services=auth-service --data to=2.3.0

`--dry` says what would happen.
"""

from roles.release import rollback

rollback()

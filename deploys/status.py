"""Who is primary, what lags, what is full or about to end: the environment against its targets.

    pyinfra inventory deploys/status.py [--data format=json]

Asks and changes nothing. The exit status is not 0 when a target is missed; what to do stands below the table.
"""

from roles.status import status

status()

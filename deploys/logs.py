"""Log lines of a service or of a unit.

    pyinfra inventory deploys/logs.py -y --data service=auth-service --data since=15m --data grep=error
    pyinfra inventory deploys/logs.py -y --data unit=nginx --data host=edge1 --data lines=50

Changes nothing.
"""

from roles.daily import logs

logs()

"""The checks of the day (operations.yaml, daily_checks), asked of the hosts.

    pyinfra inventory deploys/daily_checks.py -y --data which=morning

Changes nothing. `format=json` is for programs; the exit status is not 0 when a check fails.
"""

from roles.daily import daily_checks

daily_checks()

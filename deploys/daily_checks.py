"""The checks of the day (operations.yaml, daily_checks), asked of the hosts.

    pyinfra inventory deploys/daily_checks.py -y --data which=morning
"""

from roles.daily import daily_checks

daily_checks()

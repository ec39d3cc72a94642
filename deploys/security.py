"""What needs attention for security: logins, ports, rules, measures, scans, updates. Asks all hosts, changes nothing.

    pyinfra inventory deploys/security.py -y

operations.yaml lists the checks. `format=json` is for programs. The exit status is
not 0 when a check fails.
"""

from nexus.run.arguments import Choice, arguments
from runbooks.daily import daily_checks

given = arguments(format=Choice("the form of the output", "text", among=("text", "json")))
daily_checks("security", as_json=given.format == "json")

"""What needs attention for security: logins, ports, rules, certificates. Asks all hosts, changes nothing.

    pyinfra inventory deploys/security.py -y

The checks are those that operations.yaml lists under `security`. `format=json` is for programs. The exit status is
not 0 when a check fails.
"""

from nexus.run.arguments import Choice, arguments
from runbooks.daily import daily_checks

given = arguments(format=Choice("the form of the output", "text", among=("text", "json")))
daily_checks("security", as_json=given.format == "json")

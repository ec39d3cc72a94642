"""The daily checks that operations.yaml lists, asked of the hosts.

    pyinfra inventory deploys/daily_checks.py -y --data which=morning

Changes nothing. `format=json` is for programs. The exit status is not 0 when a check fails.
"""

from nexus.run.arguments import Choice, arguments
from runbooks.daily import daily_checks

given = arguments(
    which=Choice("the checks to run; all if not given", among=("morning", "evening", "security")),
    format=Choice("the form of the output", "text", among=("text", "json")),
)
daily_checks(given.which, as_json=given.format == "json")

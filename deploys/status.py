"""Show primaries, lag, disks, backups, certificates: the environment against its targets.

    pyinfra inventory deploys/status.py [--data format=json]

Changes nothing. The exit status is not 0 when a target is missed; the remedies are below the table.
"""

from nexus.run.arguments import Choice, arguments
from runbooks.status import status

given = arguments(read_only=True, format=Choice("the form of the output", "text", among=("text", "json")))
status(as_json=given.format == "json")

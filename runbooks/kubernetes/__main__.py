"""`python -m runbooks.kubernetes ENV`: render the objects of an environment, check them, and report on capacity.

No host and no cluster is asked. Writes dist/kubernetes; the exit status is 1 if a check finds a mistake.
"""

import sys
from collections.abc import Iterator

from nexus.cli.command import NO_SECRETS, command
from nexus.environment.inventory import load
from runbooks.kubernetes import tree
from runbooks.kubernetes.report import written


def lines(name: str) -> Iterator[str]:
    """A line for each finding of the report."""
    yield from written(load(name, NO_SECRETS), tree.directory())


if __name__ == "__main__":
    sys.exit(command("runbooks.kubernetes", lines, sys.argv[1:]))

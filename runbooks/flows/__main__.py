"""`python -m runbooks.flows ENV`: who connects to whom in an environment, and why."""

import sys

from nexus.cli.command import NO_SECRETS, command
from nexus.environment.inventory import load
from runbooks.flows import lines

if __name__ == "__main__":
    sys.exit(command("runbooks.flows", lambda name: lines(load(name, NO_SECRETS)), sys.argv[1:]))

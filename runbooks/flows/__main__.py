"""`python -m runbooks.flows ENV`: who connects to whom in an environment, and why."""

import sys

from nexus.cli.command import command
from nexus.environment.inventory import load
from runbooks.flows import lines

# No secret is needed here, so no key is asked for: this file does not exist and is never written.
NO_SECRETS = {"secrets_file": "group_data/secrets/none", "secrets_generate": True}

if __name__ == "__main__":
    sys.exit(command("runbooks.flows", lambda name: lines(load(name, NO_SECRETS)), sys.argv[1:]))

"""What differs between hosts and plan, changing nothing: exit status 1 when anything does.

    make drift NEXUS_ENV=staging

Prints it, and writes drift-ENV.json and a page to read, drift-ENV.html, into `drift_directory`.
"""

from nexus.run.arguments import arguments
from runbooks.drift import drift

arguments(read_only=True)
drift()

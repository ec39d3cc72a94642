"""What differs between hosts and plan, changing nothing: exit status 1 when anything does.

make drift NEXUS_ENV=staging

Prints it, and writes reports/drift-ENV.json and a page to read, reports/drift-ENV.html.
"""

from roles.drift import drift

drift()

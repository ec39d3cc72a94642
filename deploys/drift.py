"""Report how hosts differ from the plan. Changes nothing; exit status 1 when anything differs.

    make drift NEXUS_ENV=staging

Prints the report, and writes drift-ENV.json and a page, drift-ENV.html, to `drift_directory`.
"""

from nexus.run.arguments import arguments
from runbooks.drift import drift

arguments(read_only=True)
drift()

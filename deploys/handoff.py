"""Make the handoff: pages about the platform and its hosts as they are, and both bundles.

    make handoff NEXUS_ENV=staging
    pyinfra inventory deploys/handoff.py [--data drift=allow]

Asks all hosts, changes none of them, and writes to `handoff_directory`. It fails where plan and hosts differ; with
`drift=allow` the pages list the differences.
"""

from nexus.run.arguments import Choice, arguments
from runbooks.handoff import handoff

given = arguments(
    read_only=True, drift=Choice("what to do where plan and hosts differ", "refuse", among=("refuse", "allow"))
)
handoff(allow_drift=given.drift == "allow")

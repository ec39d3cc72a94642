"""What leaves a host of PostgreSQL before it is updated: the primary."""

from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.postgresql import failover

STORE, TITLE = failover.STORE, failover.TITLE


def leaders(run: Run) -> list[str]:
    """Return the host of the primary."""
    return list(filter(None, [failover.leader_of(failover.members(run))]))


def move(run: Run, host: str, to: str) -> list[Act]:
    """Return the acts of a planned failover."""
    return failover.switch(run, to)

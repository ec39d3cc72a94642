"""What leaves a host of Redis before it is updated: the primaries of both instances."""

from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.sentinel import failover

STORE, TITLE = failover.STORE, failover.TITLE


def leaders(run: Run) -> list[str]:
    """Return the hosts of the primaries."""
    return list(dict.fromkeys(filter(None, failover.primaries(run).values())))


def move(run: Run, host: str, to: str) -> list[Act]:
    """Return the acts of a planned failover of each instance whose primary is not there yet."""
    return failover.switch(run, to)

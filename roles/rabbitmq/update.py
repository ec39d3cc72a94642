"""Whether a node of RabbitMQ may stop: a queue whose other members are not in step would lose its majority."""

from pathlib import Path

from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.rabbitmq.failover import STORE, TITLE
from roles.rabbitmq.plan import MAY_STOP

__all__ = ["ALERTS", "STORE", "TITLE", "leaders", "move", "needed"]

ALERTS = ("RabbitmqNodesMissing", "RabbitmqPeerUnreachable")
SOURCE = Path(__file__).parent / "host/critical.py"


def leaders(run: Run) -> list[str]:
    """Return none: leaders of queues move by themselves when their node stops."""
    return []


def move(run: Run, host: str, to: str) -> list[Act]:
    """Return no acts."""
    return []


def needed(run: Run, host: str) -> str:
    """Return why the other nodes cannot do without this one now; empty if they can."""
    return str(run.hosts.ask_source(host, SOURCE, ["node"], {"command": MAY_STOP})["node"]["needed"])

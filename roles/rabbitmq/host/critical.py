"""Runs on a host of RabbitMQ: asks whether its node is indispensable. Changes nothing; standard library only."""

from typing import Any

from nexus.agent.lib import RemoteError, run

COMMAND = ["rabbitmq-diagnostics", "-q", "check_if_node_is_quorum_critical"]


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"node": {"needed": the reason, or empty}}."""
    try:
        run(COMMAND, timeout=60)
    except RemoteError as error:
        return {"node": {"needed": " ".join(str(error).split())[:300]}}
    return {"node": {"needed": ""}}

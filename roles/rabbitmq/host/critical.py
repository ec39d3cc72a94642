"""Runs on a host of RabbitMQ: asks whether its node may stop. Changes nothing; standard library only."""

from typing import Any

from nexus.agent.lib import RemoteError, run

SECONDS = 120  # the command itself waits for queues that are about to be in step


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """{"node": {"needed": the reason, or empty}}; context["command"] is the check before each restart."""
    try:
        run([context["command"]], timeout=SECONDS)
    except RemoteError as error:
        return {"node": {"needed": " ".join(str(error).split())[:300]}}
    return {"node": {"needed": ""}}

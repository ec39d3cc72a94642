"""Runs on a host: reports what its RabbitMQ node says of all nodes and of their queues. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.rabbitmq.host.api import NOT_YET, Api
from roles.rabbitmq.host.node import closed

Item = Mapping[str, Any]
Answer = dict[str, Any]


def rabbitmq(context: Item) -> Answer:
    """Nodes as this one sees them, and quorum queues without a majority of their members."""
    api = Api(context)
    try:
        nodes = api.get("nodes")
    except NOT_YET as error:
        raise RemoteError(closed(context) or str(error)) from None
    running = {node["name"] for node in nodes if node.get("running")}
    queues = [queue for queue in api.get("queues") if queue.get("type") == "quorum"]
    lame = [
        f"{queue['vhost']}/{queue['name']}"
        for queue in queues
        if len(running & set(queue.get("members", []))) * 2 <= len(queue.get("members", []))
    ]
    return {
        "node": context["node"],
        "nodes": {node["name"]: bool(node.get("running")) for node in nodes},
        "alarms": [f"{context['node']}: {what}" for what in api.alarms()],
        "queues": len(queues),
        "without majority": sorted(lame),
    }


PARTS = {"rabbitmq": rabbitmq}

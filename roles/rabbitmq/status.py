"""Rows about RabbitMQ: nodes, partitions, alarms, and queues without a majority."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, told, unreachable_lines
from roles.certificate.door import Door, door
from roles.rabbitmq.host.planned import PEER_PORT
from roles.rabbitmq.plan import context

SHARED = ("replication-state",)  # daily checks that these rows answer


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each host asks its own node."""
    return {"rabbitmq": context(env, host)} if "rabbitmq" in host.groups else {}


def doors(env: Environment, host: Host) -> list[Door]:
    """For clients and for other nodes."""
    ports = (host.setting.rabbitmq_port, PEER_PORT)
    return [door(host, "rabbitmq", port) for port in ports] if "rabbitmq" in host.groups else []


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Nodes, partitions, alarms, and queues without a majority."""
    hosts = [host.name for host in env.group("rabbitmq")]
    if not hosts:
        return
    yield from unreachable_lines(answers, "rabbitmq", hosts)
    said = told(answers, "rabbitmq", hosts)
    running = {answer["node"] for answer in said.values() if answer["nodes"].get(answer["node"])}
    known = {node for answer in said.values() for node in answer["nodes"]}
    planned = {f"rabbit@{name}" for name in hosts}
    missing = sorted(planned - running)
    advice = f"systemctl start rabbitmq-server on {', '.join(node[7:] for node in missing)}" if missing else ""
    yield Row("rabbitmq", "nodes", f"{len(planned & running)} of {len(hosts)} run", "all", advice)
    if strange := sorted(known - planned):
        yield Row("rabbitmq", "members", f"{', '.join(strange)} not in the inventory", "", "run deploys/data.py")
    for name, answer in said.items():
        seen = {node for node, runs in answer["nodes"].items() if runs}
        if apart := sorted(planned & running - seen):
            value = f"does not see {', '.join(apart)}"
            yield Row("rabbitmq", name, value, "no partition", "fix the network, then run deploys/data.py")
    alarms = sorted({alarm for answer in said.values() for alarm in answer["alarms"]})
    if alarms:
        yield Row("rabbitmq", "alarms", ", ".join(alarms), "none", "publishers are blocked: free memory or disk")
    lame = sorted({queue for answer in said.values() for queue in answer["without majority"]})
    count = max((answer["queues"] for answer in said.values()), default=0)
    advice = f"{', '.join(lame[:5])}: start the nodes that hold them" if lame else ""
    yield Row("rabbitmq", "queues", f"{count} quorum queues, {len(lame)} without a majority", "none without", advice)

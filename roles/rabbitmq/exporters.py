"""RabbitMQ's own metrics, by its plugin."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter
from roles.rabbitmq.plan import METRICS_PORT

DROP = "erlang_(vm_allocators|vm_msacc_.*|mnesia_.*)|erlang_vm_memory_dets_tables|telemetry_.*"


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Alarms, connections, and messages of all queues of the node."""
    yield Exporter("rabbitmq", METRICS_PORT, drop=DROP)

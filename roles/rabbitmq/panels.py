"""Panels about RabbitMQ."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

BOARD = "rabbitmq"

PANELS = (
    value(BOARD, "Nodes", "number", "Nodes whose metrics arrive.", ('count(up{job="rabbitmq"} == 1)', "up")),
    value(
        BOARD,
        "Messages that wait",
        "number",
        "Messages in all queues, of all nodes.",
        ("sum(rabbitmq_queue_messages_ready)", "ready"),
    ),
    value(
        BOARD,
        "Alarms",
        "number",
        "Alarms about memory, disk and files. With an alarm publishers are stopped. Normal: 0.",
        (
            "sum(rabbitmq_alarms_memory_used_watermark) + sum(rabbitmq_alarms_free_disk_space_watermark) + "
            "sum(rabbitmq_alarms_file_descriptor_limit)",
            "alarms",
        ),
    ),
    plot(
        BOARD,
        "Messages in queues",
        "number",
        "Ready messages wait for a consumer; the others wait for its acknowledgement.",
        ("sum(rabbitmq_queue_messages_ready)", "ready"),
        ("sum(rabbitmq_queue_messages_unacked)", "not acknowledged"),
    ),
    plot(
        BOARD,
        "Messages in and out",
        "per second",
        "Received from publishers, confirmed to them, and delivered to consumers.",
        ("sum(rate(rabbitmq_global_messages_received_total[5m]))", "received"),
        ("sum(rate(rabbitmq_global_messages_confirmed_total[5m]))", "confirmed"),
        ("sum(rate(rabbitmq_global_messages_delivered_total[5m]))", "delivered"),
    ),
    plot(
        BOARD,
        "Connections",
        "number",
        "Connections and channels of services.",
        ("sum by (host) (rabbitmq_connections)", "{{host}}: connections"),
        ("sum by (host) (rabbitmq_channels)", "{{host}}: channels"),
    ),
    plot(
        BOARD,
        "Memory",
        "ratio",
        "Share of the limit at which publishers are stopped.",
        ("rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes", "{{host}}"),
    ),
    plot(
        BOARD,
        "Free disk",
        "bytes",
        "What is left above the limit at which publishers are stopped.",
        ("rabbitmq_disk_space_available_bytes - rabbitmq_disk_space_available_limit_bytes", "{{host}}"),
    ),
    plot(
        BOARD,
        "Nodes that cannot be reached",
        "number",
        "Nodes of the cluster that a node does not reach. Normal: 0.",
        ("rabbitmq_unreachable_cluster_peers_count", "{{host}}"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Messages, connections, memory, disk and the nodes' view of each other."""
    yield from PANELS

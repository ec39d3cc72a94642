"""Alerts about RabbitMQ."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

ALARMS = "rabbitmq_alarms_(memory_used_watermark|free_disk_space_watermark|file_descriptor_limit)"
GROWTH = "sum by (host) (rabbitmq_queue_messages_ready) - sum by (host) (rabbitmq_queue_messages_ready offset 5m)"


def alerts(env: Environment) -> Iterator[Alert]:
    """Nodes, what blocks publishers, and queues that nobody empties."""
    nodes = len(env.group("rabbitmq"))
    yield Alert(
        "RabbitmqNodesMissing",
        f"{nodes} - (count(rabbitmq_identity_info) or vector(0))",
        f"{{{{ $value }}}} of {nodes} nodes of RabbitMQ do not answer",
        "deploys/status.py names them; deploys/data.py",
    )
    yield Alert(
        "RabbitmqAlarm",
        f'max by (host) ({{__name__=~"{ALARMS}"}})',
        "{{ $labels.host }}: RabbitMQ has an alarm about memory or disk: publishers are blocked",
        "rabbitmq-diagnostics alarms there; free disk space, or empty queues",
    )
    yield Alert(
        "RabbitmqPeerUnreachable",
        "rabbitmq_unreachable_cluster_peers_count",
        "{{ $labels.host }}: RabbitMQ cannot reach {{ $value }} of its nodes",
        "deploys/status.py; journalctl -u rabbitmq-server there",
    )
    yield Alert(
        "RabbitmqQueueGrowing",
        f"min_over_time(({GROWTH})[15m:1m])",
        "{{ $labels.host }}: queues of RabbitMQ grow by {{ $value }} messages in 5 minutes, for 15 minutes",
        "rabbitmqctl list_vhosts name messages there; a consumer is missing or slow",
    )

"""Alerts about containers, tasks and nodes."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert, Record

RECENT_SECONDS = 900  # as host/metrics.py counts failed tasks
SERVICE = "docker service ps --no-trunc nexus_{{ $labels.service }}; docker service logs nexus_{{ $labels.service }}"


def records(env: Environment) -> Iterator[Record]:
    """Processor time of each container, with the names of its service and task."""
    cores = "rate(namedprocess_namegroup_cpu_seconds_total[5m])"
    found = f'sum by (host, id) (label_replace({cores}, "id", "$1", "groupname", "([0-9a-f]{{12}})"))'
    named = f"{found} * on (host, id) group_left (service, task) nexus_container_info"
    yield Record("container:cpu_cores:rate5m", named)


def alerts(env: Environment) -> Iterator[Alert]:
    """What containers use and how often they fail."""
    yield Alert(
        "HighCPU",
        "container:cpu_cores:rate5m",
        "{{ $labels.service }} on {{ $labels.host }}: {{ $labels.task }} uses {{ $value | humanize }} cores, "
        "the limit is {threshold}",
        "deploys/scale.py with more replicas; docker stats {{ $labels.id }} on the host",
    )
    yield Alert(
        "HighMemory",
        "nexus_container_memory_bytes / on (service) group_left () max by (service) (nexus_service_memory_limit_bytes)",
        "{{ $labels.service }} on {{ $labels.host }}: {{ $labels.task }} uses {{ $value | humanizePercentage }} of its "
        "memory, the limit is a share of {threshold}",
        "the service's memory in services.yaml; docker stats {{ $labels.id }} on the host",
    )
    yield Alert(
        "PodCrashLooping",
        # a task that failed once was replaced; one that fails again is in a loop
        f"clamp_min(max by (service) (nexus_service_failed_tasks) - 1, 0) / {RECENT_SECONDS}",
        "{{ $labels.service }}: a task fails again and again, {{ $value | humanize }} times a second, "
        "the limit is {threshold}",
        SERVICE,
    )
    yield Alert(
        "TasksMissing",
        'max by (service) (nexus_service_tasks_wanted - on (host, service) nexus_service_tasks{state="running"})',
        "{{ $labels.service }}: {{ $value }} of its tasks do not run, the limit is {threshold}",
        SERVICE,
    )
    yield Alert(
        "SwarmNodeDown",
        # `host` would be the manager that says so; it is the node, so that a host that is down is told of once.
        'label_replace(max by (node) (nexus_swarm_node_ready), "host", "$1", "node", "(.*)")',
        "{{ $labels.node }}: the managers of the swarm do not hear this node, so its tasks moved away",
        "docker node ls on a manager; systemctl status docker on {{ $labels.node }}; deploys/container.py",
    )

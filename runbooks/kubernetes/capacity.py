"""Whether the cluster holds all replicas: what would stay Pending, and what the loss of one node leaves.

Pods come as a cluster starts them: one of each service, then a second of each, and so on. The scheduler breaks ties in
its own way, so counts of a cluster that is nearly full differ a little, and so do the services that are named.
"""

from collections import Counter
from collections.abc import Iterator

from nexus.catalogue.packing import Placed, Room, placed
from nexus.catalogue.size import GIB, Scale, asked, size
from nexus.environment.environment import Environment


def lines(env: Environment) -> Iterator[str]:
    """The report: requests, the cluster, Pending replicas with all nodes and with one less."""
    rooms, total = nodes(env), asked(env.catalogue, Scale.of(env.setting))
    cores = sum(room.cpu_millicores for room in rooms) / 1000
    yield f"requested: {total}, {total.replicas} replicas"
    yield (
        f"cluster: {len(rooms)} nodes, {cores:g} cores, {sum(room.memory_bytes for room in rooms) / GIB:.4g} GiB for "
        f"services, {sum(room.gpus for room in rooms)} GPUs{_source(env)}"
    )
    now = placed(pods(env), rooms)
    yield f"Pending: {_shown(now.homeless)}"
    if len(rooms) > 1:
        yield f"Pending after the loss of one node: {_shown(after_loss(now))}"
    else:
        yield "there is one node: nothing runs without it"


def nodes(env: Environment) -> list[Room]:
    """What each node has for services, after the system's share."""
    setting, stated = env.setting, env.catalogue.platform.stated_cluster
    count = int(setting.kubernetes_nodes) or stated.nodes_min
    cpus = float(setting.kubernetes_node_cpus) or stated.cpu_cores / stated.nodes_min
    memory = int(setting.kubernetes_node_memory_bytes) or stated.memory_gib * GIB // stated.nodes_min
    millicores = round((cpus - setting.capacity_reserved_cpus) * 1000)
    left = memory - int(setting.capacity_reserved_memory_bytes)
    gpus = int(setting.kubernetes_node_gpus)
    return [Room(f"node{number}", max(0, millicores), max(0, left), gpus) for number in range(1, count + 1)]


def pods(env: Environment) -> list[Room]:
    """The request of each pod, in the order of their start."""
    scale = Scale.of(env.setting)
    sizes = {name: size(service, scale) for name, service in env.catalogue.services.items()}
    last = max((one.replicas for one in sizes.values()), default=0)
    return [
        Room(name, one.cpu_millicores, one.memory_bytes, one.gpus)
        for number in range(last)
        for name, one in sizes.items()
        if one.replicas > number
    ]


def after_loss(before: Placed) -> list[Room]:
    """The pods that wait once the node with most pods is lost; pods on the other nodes stay where they are."""
    lost = max(range(len(before.left)), key=lambda number: len(before.tasks[number]))
    others = [room for number, room in enumerate(before.left) if number != lost]
    return placed([*before.homeless, *before.tasks[lost]], others).homeless


def _shown(waiting: list[Room]) -> str:
    if not waiting:
        return "nothing"
    found = Counter(each.name for each in waiting)
    names = ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
    return f"{found.total()} replicas of {len(found)} services: {names}"


def _source(env: Environment) -> str:
    return "" if env.setting.kubernetes_nodes else " (as the catalogue states; kubernetes_nodes names the real ones)"

"""Whether the cluster holds all replicas: what would stay Pending, and what the loss of one node leaves."""

from collections import Counter
from collections.abc import Iterator

from nexus.catalogue.packing import Room, waiting
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
    yield f"Pending: {_shown(pending(env, rooms))}"
    if len(rooms) > 1:
        yield f"Pending after the loss of one node: {_shown(pending(env, rooms[1:]))}"
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


def pending(env: Environment, rooms: list[Room]) -> Counter[str]:
    """{service: replicas that find no room}."""
    scale = Scale.of(env.setting)
    sizes = {name: size(service, scale) for name, service in env.catalogue.services.items()}
    tasks = [
        Room(name, one.cpu_millicores, one.memory_bytes, one.gpus)
        for name, one in sizes.items()
        for _ in range(one.replicas)
    ]
    return Counter(waiting(tasks, rooms))


def _shown(found: Counter[str]) -> str:
    if not found:
        return "nothing"
    names = ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
    return f"{found.total()} replicas of {len(found)} services: {names}"


def _source(env: Environment) -> str:
    return "" if env.setting.kubernetes_nodes else " (as the catalogue states; kubernetes_nodes names the real ones)"

"""The `tuning` part of operations.yaml: settings under the names that their programs give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roles.catalogue.entry import Entry

if TYPE_CHECKING:
    from roles.catalogue.kind import Count, Cpu, Memory, Names, Number, Path, Text

Settings = dict[str, int | float | str]


class NginxCache(Entry):
    """Nginx's proxy cache."""

    path: Path
    levels: Text
    zone: Text
    max_size: Text
    inactive: Text
    valid_200: Text
    use_stale: Names


class ContainerDefault(Entry):
    """Requests and limits of a container that states none."""

    cpu_request: Cpu
    memory_request: Memory
    cpu_limit: Cpu
    memory_limit: Memory


class LoadPhase(Entry):
    """A stretch of a load test."""

    phase: Text
    seconds: Count
    arrivals_per_second: Count


class Tuning(Entry):
    """Settings of stores, proxy, runtime and kernel, for hosts as large as the documents assume."""

    postgresql: Settings
    db_pool: dict[str, Count]
    queries: dict[str, Count]
    redis: Settings
    cache_seconds: dict[str, Count]
    nginx: Settings
    nginx_cache: NginxCache
    node: dict[str, Number]
    kernel: dict[str, Count]
    container_default: ContainerDefault
    load_test: tuple[LoadPhase, ...]

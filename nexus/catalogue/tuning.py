"""The `tuning` part of operations.yaml: settings by the names that their programs use.

To support another setting of a program, add a field here. Unknown names are refused, since the program itself would
report them only on a host.
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from nexus.catalogue import types


class ProgramTuning(types.Entry):
    """Settings of a program, by the program's own names."""

    @property
    def settings(self) -> dict[str, int | float | str]:
        """All settings by the program's own names."""
        return self.model_dump(by_alias=True)


class PostgresqlTuning(ProgramTuning):
    """Parameters of PostgreSQL."""

    shared_buffers: types.PostgresSize
    effective_cache_size: types.PostgresSize
    maintenance_work_mem: types.PostgresSize
    checkpoint_completion_target: types.Ratio
    wal_buffers: types.PostgresSize
    default_statistics_target: Annotated[types.Count, Field(le=10_000)]
    random_page_cost: types.Number
    effective_io_concurrency: Annotated[types.Whole, Field(le=1000)]
    work_mem: types.PostgresSize
    min_wal_size: types.PostgresSize
    max_wal_size: types.PostgresSize
    max_worker_processes: types.Few
    max_parallel_workers_per_gather: Annotated[types.Whole, Field(le=1000)]
    max_parallel_workers: Annotated[types.Whole, Field(le=1000)]


class RedisTuning(ProgramTuning):
    """Settings of Redis, whose own names have hyphens."""

    model_config = ConfigDict(alias_generator=types.with_hyphens)

    maxmemory: types.RedisSize
    maxmemory_policy: Literal[
        "noeviction",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ]
    tcp_backlog: types.Count
    timeout: types.Whole
    tcp_keepalive: types.Whole


class NginxTuning(ProgramTuning):
    """Directives of Nginx."""

    worker_processes: types.Workers
    worker_rlimit_nofile: types.Count
    worker_connections: types.Count
    use: Literal["epoll", "poll", "select"]
    multi_accept: types.Switch
    keepalive_timeout: types.Whole
    keepalive_requests: types.Count
    gzip_comp_level: Annotated[types.Count, Field(le=9)]
    client_body_buffer_size: types.NginxSize
    client_max_body_size: types.NginxSize
    client_header_buffer_size: types.NginxSize
    large_client_header_buffers: types.Buffers
    client_body_timeout: types.Count
    client_header_timeout: types.Count
    send_timeout: types.Count
    sendfile: types.Switch
    tcp_nopush: types.Switch
    tcp_nodelay: types.Switch


class NginxCache(types.Entry):
    """Nginx's proxy cache."""

    path: types.Path
    levels: types.Text
    zone: types.Text
    max_size: types.NginxSize
    inactive: types.Duration
    valid_200: types.Duration
    use_stale: types.Filled[types.Word]


class DatabasePool(types.Entry):
    """Connections of a service to its database."""

    max: types.Few
    min: types.Whole
    acquire_ms: types.Milliseconds
    idle_ms: types.Count
    evict_ms: types.Count

    @model_validator(mode="after")
    def _rests_below_its_bound(self) -> Self:
        if self.min > self.max:
            raise types.wrong(f"{self.min} is more than max, {self.max}", "min")
        return self


class Queries(types.Entry):
    """When a query counts as slow."""

    slow_ms: types.Count
    long_running_minutes: types.Count
    vacuum_at_dead_tuples: types.Count


class CacheSeconds(types.Entry):
    """How long answers are cached."""

    api: types.Count
    data: types.Count
    user: types.Count
    http_max_age: types.Count


class NodeTuning(types.Entry):
    """Node.js, the runtime of services."""

    max_old_space_mb: types.Count
    event_loop_lag_warn_ms: types.Count
    lag_check_seconds: types.Count


class KernelTuning(types.Entry):
    """Limits of the kernel."""

    nofile: types.Count
    somaxconn: Annotated[types.Count, Field(alias="net.core.somaxconn")]


class ContainerDefault(types.Entry):
    """Default requests and limits of a container."""

    cpu_request: types.Cpu
    memory_request: types.Memory
    cpu_limit: types.Cpu
    memory_limit: types.Memory


class LoadPhase(types.Entry):
    """A phase of a load test."""

    phase: types.Text
    seconds: types.Count
    arrivals_per_second: types.Count


class Tuning(types.Entry):
    """Settings of stores, proxy, runtime and kernel, for hosts as large as the documents assume."""

    postgresql: PostgresqlTuning
    db_pool: DatabasePool
    queries: Queries
    redis: RedisTuning
    cache_seconds: CacheSeconds
    nginx: NginxTuning
    nginx_cache: NginxCache
    node: NodeTuning
    kernel: KernelTuning
    container_default: ContainerDefault
    load_test: tuple[LoadPhase, ...]

"""Panels about Redis. The label `server` names the instance: persistent or cache."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

SERVERS = 'server!="sentinel"'
BOARD = "redis"
BOTH = "{{host}} {{server}}"
HITS = f"sum by (server) (rate(redis_keyspace_hits_total{{{SERVERS}}}[5m]))"
MISSES = f"sum by (server) (rate(redis_keyspace_misses_total{{{SERVERS}}}[5m]))"

PANELS = (
    value(
        BOARD,
        "Primaries",
        "number",
        "Servers that are primary: one for each of the two instances. Normal: 2.",
        (f'count(redis_instance_info{{role="master",{SERVERS}}})', "primary"),
    ),
    value(
        BOARD, "Clients", "number", "Connections of all servers.", (f"sum(redis_connected_clients{{{SERVERS}}})", "")
    ),
    plot(
        BOARD,
        "Memory in use",
        "ratio",
        "Share of maxmemory. The persistent instance refuses writes at 100 %; the cache evicts and may be full.",
        (f"redis_memory_used_bytes{{{SERVERS}}} / (redis_memory_max_bytes > 0)", BOTH),
    ),
    plot(
        BOARD,
        "Commands",
        "per second",
        "Commands that each server carried out.",
        (f"rate(redis_commands_processed_total{{{SERVERS}}}[5m])", BOTH),
    ),
    plot(
        BOARD,
        "Keys found",
        "ratio",
        "Share of reads that found their key.",
        (f"{HITS} / ({HITS} + {MISSES} > 0)", "{{server}}"),
        absent="No key was read.",
    ),
    plot(
        BOARD,
        "Keys evicted and expired",
        "per second",
        "Only the cache evicts. Evictions of the persistent instance: 0.",
        (f"sum by (server) (rate(redis_evicted_keys_total{{{SERVERS}}}[5m]))", "{{server}}: evicted"),
        (f"sum by (server) (rate(redis_expired_keys_total{{{SERVERS}}}[5m]))", "{{server}}: expired"),
    ),
    plot(
        BOARD,
        "Age of the last save",
        "seconds",
        "Time since the persistent instance was last saved to disk.",
        ('time() - redis_rdb_last_save_timestamp_seconds{server="persistent"}', "{{host}}"),
    ),
)

REPLICAS = (
    plot(
        BOARD,
        "Connected replicas",
        "number",
        "Replicas of each primary. Normal: one less than there are hosts.",
        ('redis_connected_slaves and on (host, server) redis_instance_info{role="master"}', BOTH),
    ),
    plot(
        BOARD,
        "Replicas behind their primary",
        "bytes",
        "Writes that a replica does not have yet.",
        (
            "max by (server) (redis_master_repl_offset) - on (server) group_right () "
            '(redis_slave_repl_offset and on (host, server) redis_instance_info{role="slave"})',
            BOTH,
        ),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Memory, commands, hits, evictions, keys, replication and saves."""
    yield from (*PANELS, *(REPLICAS if len(env.group("redis")) > 1 else ()))

"""Metrics of both Redis servers and of the Sentinel of a host, by one exporter."""

import json
from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File
from nexus.run.exporter import Exporter
from roles.certificate.plan import CA
from roles.redis.instance import INSTANCES
from roles.redis.plan import own_passwords
from roles.redis.users import METRICS

PORT = 9121
ACCOUNT = "prometheus"
# Sixteen databases of which one is used, and percentiles that cannot be summed.
DROP = "redis_db_.*|redis_latency_percentiles.*|redis_commands_(rejected|failed)_calls_total"
PASSWORDS = "/etc/prometheus/redis-passwords.json"


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """The same questions on every host: each server listens on loopback, too. The exporter itself has no server."""
    ports = {one.name: one.port(env.setting) for one in INSTANCES} | {"sentinel": int(env.setting.sentinel_port)}
    targets = {name: f"rediss://{METRICS}@127.0.0.1:{port}" for name, port in ports.items()}
    passwords = dict.fromkeys(targets.values(), own_passwords(env)[METRICS])
    yield Exporter(
        "redis",
        PORT,
        path="/scrape",
        package="prometheus-redis-exporter",
        arguments=(
            f"--web.listen-address=127.0.0.1:{PORT}",
            "--redis.addr=",
            f"--redis.password-file={PASSWORDS}",
            f"--tls-ca-cert-file={CA}",
            "--config-command=-",
            "--set-client-name=false",
            "--redis-only-metrics",
            "--exclude-latency-histogram-metrics",
        ),
        files=(File(PASSWORDS, json.dumps(passwords) + "\n", ACCOUNT, ACCOUNT, 0o600, secret=True),),
        queries={name: {"target": target} for name, target in targets.items()},
        drop=DROP,
    )

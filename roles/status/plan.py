"""What each host is asked: the parts that it can speak of, and how its own daemons are reached."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from roles.certificate.plan import CA, ETCD_CA, ETCD_LEAF, LEAF
from roles.etcd.plan import TLS as ETCD_TLS
from roles.functional import current
from roles.functional.plan import checks
from roles.functional.plan import context as functional_context
from roles.health.plan import probes
from roles.kit.environment import Environment, Host
from roles.kit.run import Run
from roles.postgresql.plan import context as postgresql_context
from roles.rabbitmq.plan import context as rabbitmq_context
from roles.sentinel.plan import context as sentinel_context
from roles.swarm.plan import managers

SOURCE = Path(__file__).with_name("remote.py")
LIBRARIES = (
    "roles.docker.client",
    "roles.etcd.client",
    "roles.functional.check",
    "roles.functional.remote",
    "roles.health.remote",
    "roles.postgresql.rest",
    "roles.rabbitmq.api",
    "roles.redis.client",
    "roles.sentinel.view",
    "roles.status.stores",
    "roles.swarm.standing",
)


def question(env: Environment, host: Host) -> dict[str, Any]:
    """{part: context} of all that this host can speak of."""
    parts: dict[str, Any] = {"host": {}, "backup": {}, "certificates": {"paths": certificates(host)}}
    if "etcd" in host.groups:
        parts["etcd"] = {"endpoint": f"{host.address}:{env.setting.etcd_client_port}", "tls": ETCD_TLS}
    if "postgresql" in host.groups:
        parts["postgresql"] = {
            **postgresql_context(env),
            "name": host.name,
            "members": {host.name: host.address},
        }
    if "redis" in host.groups:
        parts["redis"] = sentinel_context(env, host)
    if "rabbitmq" in host.groups:
        parts["rabbitmq"] = rabbitmq_context(env, host)
    if host.name in {manager.name for manager in managers(env)} if env.group("app") else ():
        parts["swarm"] = {}
    if "edge" in host.groups and host.name == env.group("edge")[0].name:
        parts["services"] = {"port": int(env.setting.router_port), "probes": probes(env)}
        if wanted := checks(env):
            parts["functional"] = functional_context(env, host, wanted)
    return parts


def certificates(host: Host) -> list[str]:
    """Files with certificates that daemons of this host show or trust."""
    found = [CA, LEAF]
    if "etcd" in host.groups:
        found += [ETCD_CA, ETCD_LEAF]
    if "edge" in host.groups:
        found.append(str(host.setting.nginx_certificate))
    return list(dict.fromkeys(found))


def ask(run: Run, name: str, only: Collection[str] = ()) -> dict[str, Any]:
    """{part: answer} of one host, of all parts or of only these; OperatorError where the host does not answer."""
    env = current(run)
    parts = {part: known for part, known in question(env, env.host(name)).items() if part in only or not only}
    context = {**parts, "seconds": int(env.setting.status_answer_seconds)}
    return run.ask_source(name, SOURCE, list(parts), context, LIBRARIES)

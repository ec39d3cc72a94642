"""What each host is asked: the parts that it can speak of, and how its own daemons are reached."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF, KEY, LEAF
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
from roles.status.door import Door, doors
from roles.swarm.plan import managers

SOURCE = Path(__file__).with_name("remote.py")
LIBRARIES = (
    "roles.certificate.stock",
    "roles.docker.client",
    "roles.etcd.client",
    "roles.functional.check",
    "roles.functional.remote",
    "roles.health.remote",
    "roles.postgresql.rest",
    "roles.rabbitmq.api",
    "roles.redis.client",
    "roles.sentinel.view",
    "roles.status.shown",
    "roles.status.stores",
    "roles.swarm.standing",
)


def question(env: Environment, host: Host) -> dict[str, Any]:
    """{part: context} of all that this host can speak of."""
    parts: dict[str, Any] = {"host": {}, "backup": {}, "certificates": certificates(env, host)}
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


def certificates(env: Environment, host: Host) -> dict[str, Any]:
    """Files with certificates that daemons of this host show or trust, and the ports at which they show ours."""
    found = [CA, LEAF]
    if "etcd" in host.groups:
        found += [ETCD_CA, ETCD_LEAF]
    if "edge" in host.groups:
        found.append(str(host.setting.nginx_certificate))
    shown = [{**_door(door), "ca": CA, "key": KEY} for door in doors(env, host) if door.leaf == LEAF]
    shown += [{**_door(door), "ca": ETCD_CA, "key": ETCD_KEY} for door in doors(env, host) if door.leaf == ETCD_LEAF]
    return {"paths": list(dict.fromkeys(found)), "doors": shown}


def _door(door: Door) -> dict[str, Any]:
    place = {"name": str(door), "address": door.address, "port": door.port, "leaf": door.leaf}
    return {**place, "asks first": door.asks_first}


def ask(run: Run, name: str, only: Collection[str] = ()) -> dict[str, Any]:
    """{part: answer} of one host, of all parts or of only these; OperatorError where the host does not answer."""
    env = current(run)
    parts = {part: known for part, known in question(env, env.host(name)).items() if part in only or not only}
    context = {**parts, "seconds": int(env.setting.status_answer_seconds)}
    return run.ask_source(name, SOURCE, list(parts), context, LIBRARIES)

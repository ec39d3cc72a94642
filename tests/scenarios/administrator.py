"""RabbitMQ and Redis as their administrators see them: asked on a host of the lab, with the login on that host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from control import Control

from roles.rabbitmq.users import ADMIN
from roles.redis.instance import PERSISTENT


def broker(control: Control) -> dict[str, list[str]]:
    """Names of virtual hosts, users and queues of the broker."""
    kinds = ("vhosts", "users", "queues", "permissions", "bindings")
    answers = {kind: json.loads(broker_api(control, "GET", kind)) for kind in kinds}
    return {kind: sorted(NAMED[kind](entry) for entry in found) for kind, found in answers.items()}


NAMED: dict[str, Callable[[dict[str, Any]], str]] = {
    "vhosts": lambda entry: entry["name"],
    "users": lambda entry: f"{entry['name']} {entry['password_hash']}",
    "queues": lambda entry: entry["name"],
    "permissions": lambda entry: f"{entry['user']} {entry['vhost']} {entry['configure']}",
    "bindings": lambda entry: f"{entry['vhost']} {entry['source']} {entry['destination']} {entry['routing_key']}",
}


def broker_api(control: Control, method: str, path: str, body: str = "") -> str:
    """An answer of the broker's management API, asked on one of its hosts as administrator."""
    env = control.planned
    lines = [f'url = "http://127.0.0.1:{env.setting.rabbitmq_management_port}/api/{path}"', f'request = "{method}"']
    lines += [f'user = "{ADMIN}:{env.secret("rabbitmq/admin")}"', 'header = "Content-Type: application/json"']
    lines += ["fail-with-body", f"data = {json.dumps(body)}"] if body else ["fail-with-body"]
    return control.ssh(control.group("rabbitmq")[0], "curl -sS -K -", "\n".join(lines))


def redis_cli(control: Control, command: str) -> str:
    """A command as administrator at the Redis that accepts writes."""
    ask = "sudo sh -c 'REDISCLI_AUTH=$(cat /etc/redis/admin.password) redis-cli --no-auth-warning "
    ask += f"--user nexus-admin -s {PERSISTENT.socket} %s'"
    for host in control.group("redis"):
        if control.ssh(host, ask % "ROLE").startswith("master"):
            return control.ssh(host, ask % command).strip()
    raise AssertionError("no Redis takes writes")

"""RabbitMQ on one host: configuration, virtual hosts and users."""

from __future__ import annotations

import json
from pathlib import Path

from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, File, State, Unit, User
from roles.rabbitmq.remote import TAG
from roles.rabbitmq.users import ADMIN, Items, password_hash, users, vhosts

UNIT = "rabbitmq-server"
DIRECTORY = "/etc/rabbitmq"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
EPMD = "/etc/systemd/system/epmd.socket.d/10-local.conf"
COOKIE = "/var/lib/rabbitmq/.erlang.cookie"
ASSUMED_MEMORY_BYTES = 16 * 1024**3  # of a host that was not asked yet, as the documents have them


def plan(env: Environment, host: Host) -> Desired:
    """One node that talks to the network by TLS alone; all else of it stays on localhost."""
    early, config = _early(env, host), _configuration(env, host)
    return Desired(
        early=early,
        packages=("rabbitmq-server",),
        users=(User("rabbitmq", groups=(KEY_GROUP,), home="/var/lib/rabbitmq"),),
        files=(*config, File(DROP_IN, env.render("rabbitmq/service.conf.j2"))),
        units=(
            Unit("epmd.socket"),
            # Not the certificate: Erlang reads it again by itself, two minutes after it changed.
            Unit(UNIT, restart_on=tuple(file.path for file in (*early[1:], *config))),
        ),
        states=(
            _state(env, "rabbitmq vhosts", vhosts(env.catalogue), bool(env.setting.prune_data)),
            _state(env, "rabbitmq users", users(env), True),
        ),
    )


def _early(env: Environment, host: Host) -> tuple[File, ...]:
    """What decides where Erlang listens and what the node is called.

    The packages start port mapper and node as soon as they are there: the one cannot be moved while a
    node hangs on it, the other names its data after itself, and neither starts if they do not agree.
    """
    return (
        File(EPMD, env.render("rabbitmq/epmd.conf.j2")),
        File(f"{DIRECTORY}/rabbitmq-env.conf", env.render("rabbitmq/rabbitmq-env.conf.j2", host=host)),
        File(f"{DIRECTORY}/erl_inetrc", env.render("rabbitmq/erl_inetrc.j2", host=host)),
    )


def _configuration(env: Environment, host: Host) -> tuple[File, ...]:
    memory = host.traits.memory_bytes if host.traits else ASSUMED_MEMORY_BYTES
    values = {
        "host": host,
        "memory_bytes": memory * host.setting.rabbitmq_memory_percent // 100,
        "definitions": f"{DIRECTORY}/definitions.json",
        "certificate": LEAF,
        "key": KEY,
        "ca": CA,
    }
    return (
        _file("rabbitmq.conf", env.render("rabbitmq/rabbitmq.conf.j2", **values)),
        _file("enabled_plugins", "[rabbitmq_management].\n"),
        _file("definitions.json", _definitions(env), secret=True),
        File(COOKIE, env.secret("rabbitmq/cookie"), "rabbitmq", "rabbitmq", 0o400, secret=True),
    )


def _definitions(env: Environment) -> str:
    """Only the administrator, read at every start: so there is always one, and never the default guest."""
    admin = {
        "name": ADMIN,
        "password_hash": password_hash(ADMIN, env.secret("rabbitmq/admin")),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator", TAG],  # as remote.py makes it, or a restart would change it
    }
    return json.dumps({"users": [admin]}, indent=1) + "\n"


def _state(env: Environment, name: str, items: Items, remove: bool) -> State:
    return State(
        name,
        Path(__file__).with_name("remote.py"),
        items,
        context={
            "port": env.setting.rabbitmq_management_port,
            "user": ADMIN,
            "password": env.secret("rabbitmq/admin"),
            "about": name.split()[1],
        },
        extra="remove" if remove else "report",
    )


def _file(name: str, content: str, secret: bool = False) -> File:
    mode = 0o640 if secret else 0o644
    return File(f"{DIRECTORY}/{name}", content, owner="rabbitmq", group="rabbitmq", mode=mode, secret=secret)

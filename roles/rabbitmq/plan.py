"""RabbitMQ on one host: configuration, virtual hosts and users."""

import json
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import check_members
from nexus.plan.desired import Desired, Directory, File, State, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.rabbitmq.host.planned import PEER_PORT, TAG
from roles.rabbitmq.users import ADMIN, Items, password_hash, users, vhosts

UNIT = "rabbitmq-server"
IN_ORDER = ("rabbitmq-server", "erlang-.*")
DIRECTORY = "/etc/rabbitmq"
LOGS = "/var/log/rabbitmq"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
EPMD = "/etc/systemd/system/epmd.socket.d/10-local.conf"
COOKIE = "/var/lib/rabbitmq/.erlang.cookie"
DEFINITIONS = f"{DIRECTORY}/definitions.json"
DISTRIBUTION = f"{DIRECTORY}/distribution.config"
MAY_STOP = "/usr/local/lib/nexus-cos/rabbitmq-may-stop"
NAMES, TAKE_NAMES = f"{DIRECTORY}/erl_inetrc", "/usr/local/lib/nexus-cos/rabbitmq-names"
METRICS_PORT = 15692  # on loopback
ASSUMED_MEMORY_BYTES = 16 * 1024**3  # of a host that was not probed yet; the documents' figure


def plan(env: Environment, host: Host) -> Desired:
    """Plan a node that talks to clients and to the other nodes over TLS only.

    Virtual hosts and users belong to the cluster, so one host creates them for all.
    """
    early, config = _early(env, host), _configuration(env, host)
    states: tuple[State, ...] = (_data(env, host), _cluster(env, host))
    if host == env.speaker("rabbitmq"):
        states += (
            _state(env, "rabbitmq vhosts", vhosts(env.catalogue), env.prune_data),
            _state(env, "rabbitmq users", users(env), True),
        )
    return Desired(
        early=early,
        packages=("rabbitmq-server",),
        users=(User("rabbitmq", groups=(KEY_GROUP,), home="/var/lib/rabbitmq"),),
        directories=(Directory(LOGS, owner="rabbitmq", group="adm"),),  # Erlang reopens a lost file with its next line
        files=(
            *config,
            File(MAY_STOP, env.render("rabbitmq/may-stop.sh.j2"), mode=0o755),
            File(TAKE_NAMES, env.render("rabbitmq/names.sh.j2", names=NAMES), mode=0o755),
        ),
        units=(
            Unit("epmd.socket"),
            Unit(
                UNIT,
                # Not for the certificate: Erlang reads it again two minutes after it changed. Nor for the
                # administrator of the next start: `users` sets a new password in a running broker.
                restart_on=tuple(file.path for file in (*early, *config) if file.path not in (DEFINITIONS, NAMES)),
                reload_on=(NAMES,),  # a member does not stop because another one comes or goes
                restart_check=MAY_STOP,
            ),
        ),
        states=states,
    )


def notes(env: Environment) -> list[str]:
    """Return no notes; raise OperatorError if the number of nodes cannot tolerate the loss of one."""
    check_members(env, "rabbitmq")
    return []


def _early(env: Environment, host: Host) -> tuple[File, ...]:
    """Files that decide where Erlang listens and how the node is named, and that make it wait for all the rest.

    The packages start port mapper and node as soon as they are installed. The port mapper cannot be moved while
    a node uses it, the node names its data after itself, and neither starts if they do not agree.
    """
    nodes = env.group("rabbitmq")
    names = {"host": host, "nodes": nodes, "distribution": DISTRIBUTION, "definitions": DEFINITIONS}
    names |= {"names": NAMES, "take_names": TAKE_NAMES}
    return (
        File(EPMD, env.render("rabbitmq/epmd.conf.j2", **names)),
        File(DROP_IN, env.render("rabbitmq/service.conf.j2", **names)),
        File(f"{DIRECTORY}/rabbitmq-env.conf", env.render("rabbitmq/rabbitmq-env.conf.j2", **names)),
        File(NAMES, env.render("rabbitmq/erl_inetrc.j2", **names)),
    )


def _memory_bytes(host: Host) -> int:
    memory = host.traits.memory_bytes if host.traits else ASSUMED_MEMORY_BYTES
    return int(memory * host.setting.rabbitmq_memory_percent // 100)


def _ports(env: Environment) -> list[int]:
    setting = env.setting
    return sorted([int(setting.rabbitmq_port), int(setting.rabbitmq_management_port), METRICS_PORT, PEER_PORT])


def _configuration(env: Environment, host: Host) -> tuple[File, ...]:
    values = {
        "host": host,
        "memory_bytes": _memory_bytes(host),
        "metrics_port": METRICS_PORT,
        "definitions": DEFINITIONS,
        "certificate": LEAF,
        "key": KEY,
        "ca": CA,
    }
    return (
        _file("rabbitmq.conf", env.render("rabbitmq/rabbitmq.conf.j2", **values)),
        _file("distribution.config", env.render("rabbitmq/distribution.config.j2", **values)),
        _file("enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n"),
        _file("definitions.json", _definitions(env), secret=True),
        File(COOKIE, env.secret("rabbitmq/cookie"), "rabbitmq", "rabbitmq", 0o400, secret=True),
    )


def _definitions(env: Environment) -> str:
    """Only the administrator, read at every start, so that there is always one, and never the default guest."""
    admin = {
        "name": ADMIN,
        "password_hash": password_hash(ADMIN, env.secret("rabbitmq/admin")),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator", TAG],  # as host/state.py makes it, or a restart would change it
    }
    return json.dumps({"users": [admin]}, indent=1) + "\n"


def _data(env: Environment, host: Host) -> State:
    """Data that the broker can start with, checked before it starts."""
    source = Path(__file__).parent / "host/stale_data.py"
    items = {"data": {"usable": True}}
    return State("rabbitmq data", source, items, context=context(env, host), before_units=True)


def _cluster(env: Environment, host: Host) -> State:
    """This host's node in the cluster; the speaker also handles nodes of hosts that left."""
    items: Items = {"membership": {"missing": [], "apart": []}, "quorum queues": {"without this node": 0}}
    items["node"] = {"listeners": _ports(env), "alarms": []}
    if host == env.speaker("rabbitmq"):
        items["nodes"] = {"stale": []}
    source = Path(__file__).parent / "host/cluster.py"
    return State("rabbitmq cluster", source, items, context(env, host))


def context(env: Environment, host: Host) -> dict[str, Any]:
    """How the host-side code reaches the broker of this host, and which nodes belong to its cluster."""
    left_out = env.left_out
    return {
        **_access(env),
        "node": _node(host),
        "nodes": [_node(other) for other in env.group("rabbitmq")],
        "there": [_node(other) for other in env.group("rabbitmq") if other.name not in left_out],
        "wait_seconds": env.setting.rabbitmq_wait_seconds,
        "limits": {"memory": _memory_bytes(host), "disk": int(env.setting.rabbitmq_disk_free_limit_mb) * 1_000_000},
    }


def _state(env: Environment, name: str, items: Items, remove: bool) -> State:
    return State(
        name,
        Path(__file__).parent / "host/state.py",
        items,
        context={**_access(env), "about": name.split()[1]},
        extra="remove" if remove else "report",
    )


def _access(env: Environment) -> dict[str, Any]:
    return {
        "port": int(env.setting.rabbitmq_management_port),
        "user": ADMIN,
        "passwords": env.secrets.accepted("rabbitmq/admin"),
    }


def _node(host: Host) -> str:
    return f"rabbit@{host.name}"


def _file(name: str, content: str, secret: bool = False) -> File:
    mode = 0o640 if secret else 0o644
    return File(f"{DIRECTORY}/{name}", content, owner="rabbitmq", group="rabbitmq", mode=mode, secret=secret)

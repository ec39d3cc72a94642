"""Sentinel on one host: its configuration, and what it and the servers next to it must agree on.

No plan names the primary. The host-side code asks all Sentinels for it, or all servers if there is none yet;
see host/state.py. Sentinel writes its own file, which includes ours.
"""

import hashlib
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import majority
from nexus.plan.desired import Desired, Directory, File, State, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.redis.instance import INSTANCES
from roles.redis.plan import in_force, own_accepted, own_passwords
from roles.redis.users import ADMIN, SENTINEL, sentinel_acl

UNIT = "redis-sentinel"
IN_ORDER = ("redis-sentinel",)
SERVER = {"settings": [], "users": [], "saves": True}  # one that works as planned: roles/redis/host/server.py
CONFIG, USERS = "/etc/redis/sentinel.conf", "/etc/redis/sentinel.acl"
DIRECTORY, STATE = "/var/lib/redis/sentinel", "/var/lib/redis/sentinel/sentinel.conf"
SOCKET = "/run/sentinel/sentinel.sock"
HELPER = "/usr/local/lib/nexus-cos/sentinel-prepare"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"


def plan(env: Environment, host: Host) -> Desired:
    """Plan the Sentinel from Debian's package, its users, and its part in the cluster."""
    paths = {"users": USERS, "socket": SOCKET, "ca": CA, "certificate": LEAF, "key": KEY, "directory": DIRECTORY}
    paths |= {"config": CONFIG, "state": STATE}
    passwords = own_passwords(env)
    config = env.render(
        "sentinel/sentinel.conf.j2", host=host, paths=paths, user=SENTINEL, password=passwords[SENTINEL]
    )
    helper = env.render("sentinel/prepare.sh.j2", paths=paths, identity=identity(env, host))
    return Desired(
        early=(File(DROP_IN, env.render("sentinel/service.conf.j2", paths=paths, helper=HELPER)),),
        packages=("redis-sentinel",),
        users=(User("redis", groups=(KEY_GROUP,), home="/var/lib/redis"),),
        directories=(Directory(DIRECTORY, "redis", "redis", 0o750),),
        files=(
            File(HELPER, helper, mode=0o755),
            File(USERS, sentinel_acl(own_accepted(env)), group="redis", mode=0o640, secret=True),
            File(CONFIG, config, group="redis", mode=0o640, secret=True),
        ),
        # Not reloaded: a Sentinel does not read users' files or certificates again, and it restarts in a second.
        units=(Unit(UNIT, restart_on=(CONFIG, USERS, DROP_IN, HELPER, CA, LEAF, KEY)),),
        states=(_state(env, host),),
    )


def identity(env: Environment, host: Host) -> str:
    """The Sentinel's own id, 40 hex digits: a host that replaces another of the same name keeps its id,
    so no ghost is left to be counted in every later vote."""
    return hashlib.sha256(f"sentinel {env.name} {host.name}".encode()).hexdigest()[:40]


def _state(env: Environment, host: Host) -> State:
    hosts = env.group("redis")
    items: dict[str, dict[str, Any]] = {}
    for one in INSTANCES:
        items[f"replication of {one.name}"] = {"joined": True, "linked": True}
        items[f"server of {one.name}"] = SERVER
        items[f"watch over {one.name}"] = {
            "port": one.port(env.setting),
            "quorum": majority(len(hosts)),
            "down-after-milliseconds": env.setting.sentinel_down_after_ms,
            "failover-timeout": env.setting.sentinel_failover_timeout_ms,
            "parallel-syncs": 1,
            "authenticates": True,
            "missing": [],
            "stale": [],
        }
    source = Path(__file__).parent / "host/state.py"
    return State("sentinel", source, items, context=compared(env, host))


def compared(env: Environment, host: Host) -> dict[str, Any]:
    """Return `context`, with the values that running servers of this host are compared with."""
    known = context(env, host)
    for one in INSTANCES:
        known["instances"][one.name] |= in_force(env, host, one)
    return known


def context(env: Environment, host: Host) -> dict[str, Any]:
    """How the host-side code reaches the servers and Sentinels of this host and of the others."""
    hosts, left_out = env.group("redis"), env.left_out
    passwords = own_passwords(env)
    return {
        "address": host.address,
        "hosts": {other.address: other.name for other in hosts},
        "left_out": [other.address for other in hosts if other.name in left_out],
        "port": env.setting.sentinel_port,
        "socket": SOCKET,
        "configured": USERS,
        "state": STATE,
        "ca": CA,
        "admin": [ADMIN, passwords[ADMIN]],
        "sentinel": [SENTINEL, passwords[SENTINEL]],
        "wait_seconds": env.setting.sentinel_wait_seconds,
        "instances": {
            one.name: {"master": one.master_name(env.catalogue), "port": one.port(env.setting), "socket": one.socket}
            for one in INSTANCES
        },
    }

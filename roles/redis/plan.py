"""Redis on one host: configuration, users and the way they are loaded again."""

from __future__ import annotations

import re

from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, File, Unit, User
from roles.redis.users import ADMIN, acl

UNIT = "redis-server"
CONFIG, USERS, PASSWORD = "/etc/redis/redis.conf", "/etc/redis/users.acl", "/etc/redis/admin.password"
SOCKET = "/run/redis/redis.sock"
RELOAD = "/usr/local/lib/nexus-cos/redis-reload"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"


def plan(env: Environment, host: Host) -> Desired:
    """The server as Debian packages it; users are files, so no state has to be asked for."""
    services = env.catalogue.services_of_store("redis")
    passwords = {service.name: env.secret(f"redis/{service.name}") for service in services}
    passwords[ADMIN] = env.secret("redis/admin")
    paths = {"users": USERS, "password": PASSWORD, "socket": SOCKET, "ca": CA}
    paths |= {"certificate": LEAF, "key": KEY}
    config = env.render("redis/redis.conf.j2", host=host, tuning=_tuning(env, host), paths=paths)
    reload = env.render("redis/reload.sh.j2", paths=paths, admin=ADMIN)
    return Desired(
        packages=("redis-server", "redis-tools"),
        users=(User("redis", groups=(KEY_GROUP,), home="/var/lib/redis"),),
        files=(
            File(CONFIG, config, group="redis", mode=0o640),
            File(USERS, acl(services, passwords), group="redis", mode=0o640, secret=True),
            File(PASSWORD, passwords[ADMIN], mode=0o600, secret=True),
            File(RELOAD, reload, mode=0o755),
            File(DROP_IN, env.render("redis/service.conf.j2", reload=RELOAD)),
        ),
        units=(Unit(UNIT, restart_on=(CONFIG,), reload_on=(USERS, CA, LEAF, KEY)),),
    )


def _tuning(env: Environment, host: Host) -> dict[str, int | float | str]:
    """The catalogue's figures, with memory and eviction as this host and environment can bear them."""
    figures = dict(env.catalogue.operations.tuning.redis)
    most = _size_bytes(str(figures["maxmemory"]))
    if host.traits:
        most = min(most, host.traits.memory_bytes * host.setting.redis_memory_percent // 100)
    return {**figures, "maxmemory": most, "maxmemory-policy": host.setting.redis_maxmemory_policy}


def _size_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)(kb|mb|gb)", text.lower())
    if not match:
        raise ValueError(f'operations.yaml, tuning.redis.maxmemory: "{text}" is no size such as 512mb or 2gb')
    return int(match[1]) * int(1024 ** (("kb", "mb", "gb").index(match[2]) + 1))

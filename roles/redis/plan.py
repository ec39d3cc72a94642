"""Redis on one host: two servers, their users, and how a running server takes new settings.

The Sentinels decide which server is primary (role sentinel): no plan names it. Sentinel has a server write its
primary into its configuration. So a server starts with its own file, which includes ours; of the lines that it
wrote there only that one survives, see templates/redis/instance.sh.j2.
"""

import re
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import check_members
from nexus.plan.desired import Desired, Directory, File, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.redis.instance import INSTANCES, Instance, replicas_to_write
from roles.redis.users import ADMIN, OWN, REPLICA, server_acl

IN_ORDER = ("redis-.*",)
PASSWORD = "/etc/redis/admin.password"
HELPER = "/usr/local/lib/nexus-cos/redis-instance"
PATHS = {"password": PASSWORD, "ca": CA, "certificate": LEAF, "key": KEY}
CHANGEABLE = ("bind", "port", "tls-port", "dir", "dbfilename")  # at a running server too, but never by us
DEFAULTS = {  # not in any file: if changed, they would open, hide or stop a server
    "protected-mode": "yes",
    "requirepass": "",
    "replica-priority": "100",
    "replica-read-only": "yes",
    "replica-announced": "yes",
    "stop-writes-on-bgsave-error": "yes",
}
STARTED_WITH = ("tcp-backlog", "databases", "io-threads")  # settings that no running server takes


def plan(env: Environment, host: Host) -> Desired:
    """Plan both servers from Debian's packages. Users are files, so no state needs a probe."""
    helper = env.render("redis/instance.sh.j2", paths=PATHS, admin=ADMIN, instances=INSTANCES)
    passwords = own_passwords(env)
    return Desired(
        early=tuple(
            File(_drop_in(one), env.render("redis/service.conf.j2", one=one, helper=HELPER)) for one in INSTANCES
        ),
        packages=("redis-server", "redis-tools"),
        users=(User("redis", groups=(KEY_GROUP,), home="/var/lib/redis"),),
        directories=(
            Directory("/var/log/redis", "redis", "adm", 0o2750),
            *(Directory(one.directory, "redis", "redis", 0o750) for one in INSTANCES if not one.persistent),
        ),
        files=(
            File(HELPER, helper, mode=0o755),
            File(PASSWORD, passwords[ADMIN], mode=0o600, secret=True),
            *(file for one in INSTANCES for file in _files(env, host, one, PATHS)),
        ),
        units=tuple(_unit(one) for one in INSTANCES),
    )


def notes(env: Environment) -> list[str]:
    """Return no notes; raise OperatorError if the number of hosts cannot tolerate the loss of one."""
    check_members(env, "redis")
    return []


def own_passwords(env: Environment) -> dict[str, str]:
    """Passwords that the platform's own users log in with, by name."""
    return {user: env.secret(f"redis/{secret}") for secret, user in OWN.items()}


def own_accepted(env: Environment) -> dict[str, list[str]]:
    """Passwords that servers and Sentinels accept from them: two each while they are changed."""
    return {user: env.secrets.accepted(f"redis/{secret}") for secret, user in OWN.items()}


def acl(env: Environment, one: Instance) -> str:
    """The ACL file of an instance: the platform's own users, and the services that use it."""
    services = one.services(env.catalogue)
    accepted = {service.name: env.secrets.accepted(f"redis/{service.name}") for service in services}
    return server_acl(services, own_accepted(env) | accepted)


def in_force(env: Environment, host: Host, one: Instance) -> dict[str, Any]:
    """What the running server must show: settings by name, users as in their file, and a person's command for it."""
    fixed, live, users = (file.data.decode() for file in _files(env, host, one, PATHS))
    settings = {**DEFAULTS, **{name: _settings(fixed)[name] for name in CHANGEABLE}, **_settings(live)}
    cli = f"REDISCLI_AUTH=$(cat {PASSWORD}) redis-cli -s {one.socket} --user {ADMIN} --no-auth-warning"
    return {"settings": settings, "users": users.splitlines(), "cli": cli}


def _settings(text: str) -> dict[str, str]:
    pairs = (line.partition(" ") for line in text.splitlines() if line and not line.startswith(("#", "include ")))
    return {name: value.strip('"') for name, _, value in pairs}


def _unit(one: Instance) -> Unit:
    return Unit(
        one.unit,
        restart_on=(one.config, _drop_in(one)),
        reload_on=(one.live, one.users, CA, LEAF, KEY),
        ready_check=f"{HELPER} ready {one.stem}",
    )


def _drop_in(one: Instance) -> str:
    return f"/etc/systemd/system/{one.unit}.service.d/10-nexus-cos.conf"


def _files(env: Environment, host: Host, one: Instance, paths: dict[str, str]) -> tuple[File, ...]:
    tuning = _tuning(env, host, one)
    fixed = {name: tuning.pop(name) for name in STARTED_WITH if name in tuning}
    config = env.render("redis/redis.conf.j2", host=host, one=one, port=one.port(host.setting), fixed=fixed)
    live = env.render(
        "redis/live.conf.j2",
        host=host,
        one=one,
        paths=paths,
        tuning=tuning,
        user=REPLICA,
        password=own_passwords(env)[REPLICA],
        replicas=replicas_to_write(env),
    )
    return (
        File(one.config, config, group="redis", mode=0o640),
        File(one.live, live, group="redis", mode=0o640, secret=True),
        File(one.users, acl(env, one), group="redis", mode=0o640, secret=True),
    )


def _tuning(env: Environment, host: Host, one: Instance) -> dict[str, int | float | str]:
    """Return the catalogue's figures, with memory and eviction adapted to this host and instance."""
    figures = env.catalogue.operations.tuning.redis.settings
    most = _size_bytes(str(figures["maxmemory"]))
    if host.traits:
        most = min(most, host.traits.memory_bytes * int(host.setting[f"{one.prefix}_memory_percent"]) // 100)
    policy = host.setting.redis_maxmemory_policy if one.persistent else figures["maxmemory-policy"]
    return {**figures, "maxmemory": most, "maxmemory-policy": policy}


def _size_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)(kb|mb|gb)", text.lower())
    if not match:
        raise ValueError(f'operations.yaml, tuning.redis.maxmemory: "{text}" is not a size such as 512mb or 2gb')
    return int(match[1]) * int(1024 ** (("kb", "mb", "gb").index(match[2]) + 1))

"""PgBouncer on a host of PostgreSQL, in front of that host's own server and of no other.

It runs next to the servers and not next to the services, for three reasons. A pool exists once, on the primary,
and not once on every host that runs services, which would multiply the connections. The pooler reaches its server
through the local socket, so it has nothing to find and nothing to fail over. A proxy that leads to the primary's
host leads to the primary's pooler. The pooler looks passwords up in the server, so both admit the same logins.
"""

from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, File, State, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.postgresql import access
from roles.postgresql.budget import LOOKUP, budget
from roles.postgresql.patroni import HOME
from roles.postgresql.plan import own

IN_ORDER = ("pgbouncer",)
DIRECTORY = "/etc/pgbouncer"
CONFIG, LISTEN = f"{DIRECTORY}/pgbouncer.ini", f"{DIRECTORY}/listen.ini"
USERS, ACCESS = f"{DIRECTORY}/userlist.txt", f"{DIRECTORY}/hba.conf"
DROP_IN = "/etc/systemd/system/pgbouncer.service.d/10-nexus-cos.conf"


def plan(env: Environment, host: Host) -> Desired:
    """Plan Debian's PgBouncer; settings that need a restart have a file of their own, all others are reloaded."""
    paths = {"listen": LISTEN, "users": USERS, "access": ACCESS, "certificate": LEAF, "key": KEY, "ca": CA}
    most = budget(env).clients
    values = {
        "host": host,
        "paths": paths,
        "databases": [service.database for service in env.catalogue.services_of_store("postgresql")],
        "lookup": {"user": access.LOOKUP, "connections": LOOKUP},
        "metrics": access.METRICS,
        "clients": most,
        "wait_seconds": env.catalogue.operations.tuning.db_pool.acquire_ms // 1000,
    }
    hba = "\n".join(access.pooler(env, host))
    config = env.render("pgbouncer/pgbouncer.ini.j2", **values)
    return Desired(
        packages=("pgbouncer",),
        users=(User("postgres", groups=(KEY_GROUP,), home=HOME),),
        files=(
            _file(CONFIG, config),
            _file(LISTEN, env.render("pgbouncer/listen.ini.j2", **values)),
            # Both log in as their own accounts, see access.py. Secret because of what was there before.
            _file(USERS, f'"{access.LOOKUP}" ""\n"{access.METRICS}" ""\n', secret=True),
            _file(ACCESS, f"# Generated.\n{hba}\n"),
            File(DROP_IN, env.render("pgbouncer/service.conf.j2", files=2 * most + 1000)),
        ),
        units=(Unit("pgbouncer", restart_on=(LISTEN, DROP_IN), reload_on=(CONFIG, USERS, ACCESS, CA, LEAF, KEY)),),
        states=(_state(env, host, config),),
    )


def in_force(config: str) -> dict[str, str]:
    """Settings of the file that the running pooler must show, by name."""
    _, _, section = config.partition("[pgbouncer]")
    lines = [line.partition("=") for line in section.splitlines() if "=" in line and not line.startswith((";", "%"))]
    return {name.strip(): value.strip() for name, _, value in lines}


def _state(env: Environment, host: Host, config: str) -> State:
    """The running pooler: no database paused or disabled, and settings as in its file."""
    known = {**own(env, host), "config of the pooler": in_force(config)}
    source = Path(__file__).parent / "host/state.py"
    return State("pgbouncer", source, {"pooler": {"settings": []}}, context=known)


def _file(path: str, content: str, secret: bool = False) -> File:
    return File(path, content, owner="postgres", group="postgres", mode=0o640, secret=secret)

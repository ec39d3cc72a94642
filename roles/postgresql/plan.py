"""PostgreSQL on one host: a member of the cluster that Patroni runs, of one host or of several.

Patroni decides in etcd which member is primary, starts the server and writes its configuration. This role plans
the files that Patroni reads. One host queries and creates the databases and database roles, at the primary.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State, Unit, User
from nexus.plan.lazy import Lazy
from roles.certificate.plan import CA, ETCD_KEY_GROUP, KEY, KEY_GROUP, LEAF
from roles.postgresql import access, budget, patroni
from roles.postgresql.host import scram
from roles.postgresql.host.planned import MEMBER, SERVER, flat

if TYPE_CHECKING:
    from nexus.catalogue import Service
    from nexus.catalogue.first_schema import Schema

UNIT = "patroni"
IN_ORDER = ("postgresql-.*", "patroni")
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
LOGINS = {access.SUPERUSER: "superuser", access.REPLICATION: "replication"}  # Patroni's own, and their secrets


OPEN = {"public": False, "settings": [], "limit": -1, "shut": False}  # to its own logins


def plan(env: Environment, host: Host) -> Desired:
    """Plan Debian's PostgreSQL and Patroni; on the speaker also the contents of the cluster."""
    config, tag = patroni.file(env, host)
    ready = env.render("postgresql/ready.sh.j2", host=host, tag=tag, config=patroni.CONFIG, ca=CA)
    states: tuple[State, ...] = (_passwords(env, host), _server(env, host))
    if host == env.speaker("postgresql"):
        states += (_cluster(env), _contents(env))
    return Desired(
        # Debian creates its own cluster while it installs the package, unless this file forbids it.
        early=(File("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n"),),
        packages=(f"postgresql-{env.setting.postgresql_version}", "patroni", "python3-etcd"),
        users=(User("postgres", groups=(KEY_GROUP, ETCD_KEY_GROUP), home=patroni.HOME),),
        directories=(Directory("/var/log/postgresql", group="postgres", mode=0o1775),),  # pgbouncer logs there, too
        files=(
            File(patroni.CONFIG, config, owner="postgres", group="postgres", mode=0o600, secret=True),
            File(DROP_IN, env.render("postgresql/service.conf.j2")),
        ),
        units=(Unit(UNIT, restart_on=(DROP_IN,), reload_on=(patroni.CONFIG, CA, LEAF, KEY), ready_check=ready),),
        states=states,
    )


def preflight(env: Environment, host: Host) -> str:
    """Return the command that refuses a host with its own server: Patroni would neither know it nor leave it alone."""
    return env.render("postgresql/preflight.sh.j2", host=host, home=patroni.HOME, config=patroni.CONFIG)


def notes(env: Environment) -> list[str]:
    """Raise OperatorError where settings contradict each other."""
    patroni.check(env)
    access.check(env)
    budget.check(env)
    return []


def items(env: Environment, services: list[Service]) -> dict[str, dict[str, Any]]:
    """Owner role, two logins, database and first schema of each service, as the host-side code reports them."""
    found: dict[str, dict[str, Any]] = {}
    replication = scram.salt(access.REPLICATION, env.secret("postgresql/replication"))
    found[f"role {access.REPLICATION}"] = _role("platform", login=True, password=replication, replication=True)
    found[f"role {access.LOOKUP}"] = _role("platform", login=True)
    found[f"role {access.METRICS}"] = _role("platform", login=True, member_of=["pg_monitor"])
    granted = {"body": access.LOOKUP_BODY, "definer": True, "granted": [access.LOOKUP]}
    found["function lookup"] = {"service": "platform", **granted}
    for service in services:
        owner = service.database
        found[f"role {owner}"] = _role(service.name)
        for user, password in env.logins("postgresql", service.name):
            found[f"role {user}"] = _role(
                service.name,
                login=True,
                password=scram.salt(user, password),
                member_of=[owner],
                acts_as=owner,
                limit=env.setting.postgresql_connection_limit,
            )
        found[f"database {owner}"] = {"service": service.name, "owner": owner, **OPEN}
        if service.first_schema:
            found[f"schema {service.name}"] = {"service": service.name, "on record": True}
    return found


def _role(service: str, **values: Any) -> dict[str, Any]:
    nobody = {"login": False, "password": "", "member_of": [], "acts_as": "", "limit": -1, "replication": False}
    by_hand: dict[str, Any] = {"settings": [], "rights": [], "expires": False}  # planned roles have none of these
    return {"service": service, **nobody, **by_hand, **values}


def context(env: Environment) -> dict[str, Any]:
    """How the host-side code reaches Patroni and the primary."""
    members = {host.name: host.address for host in env.group("postgresql") if host.name not in env.left_out}
    return {
        "members": members,
        "port": env.setting.postgresql_port,
        "rest_port": env.setting.postgresql_rest_port,
        "tls": {"ca": CA, "certificate": LEAF, "key": KEY},
        "api": [patroni.API_USER, env.secret("postgresql/api")],
        "password": env.secret("postgresql/superuser"),
        "config": patroni.CONFIG,
        "programs": patroni.programs(env),
        "loop_seconds": env.setting.postgresql_loop_seconds,
        "wait_seconds": env.setting.postgresql_join_seconds,
    }


def own(env: Environment, host: Host) -> dict[str, Any]:
    """Return how host-side code queries the servers of its own host, and for what; all states share the query."""
    return {
        "config": patroni.CONFIG,
        "port": env.setting.postgresql_port,
        "pooler_port": env.setting.pgbouncer_port,
        "programs": patroni.programs(env),
        "roles": list(LOGINS),
        "settings": patroni.in_force(env, host),
    }


def _passwords(env: Environment, host: Host) -> State:
    """The passwords of superuser and replication, set in the server before they are in Patroni's file."""
    logins = {f"password of {user}": (user, env.secret(f"postgresql/{secret}")) for user, secret in LOGINS.items()}
    source = Path(__file__).parent / "host/password.py"
    items = {name: {"is set": True} for name in logins}
    known = {**own(env, host), "logins": logins}
    return State("postgresql passwords", source, items, context=known, before_units=True)


def compared(env: Environment, host: Host) -> dict[str, Any]:
    """Return `own`, with the values that the running server is compared with."""
    return {
        **own(env, host),
        "reserved": budget.RESERVED,
        "shared": list(patroni.cluster(env)["postgresql"]["parameters"]),
        "synchronous": patroni.cluster(env)["synchronous_mode_strict"],
        "data": patroni.data(env),
        "access": {"pg_hba.conf": access.server(env, host), "pg_ident.conf": access.accounts()},
    }


def _server(env: Environment, host: Host) -> State:
    """The running server of this host."""
    source = Path(__file__).parent / "host/server.py"
    return State("postgresql server", source, {"server": SERVER}, context=compared(env, host))


def _cluster(env: Environment) -> State:
    """Patroni's settings in etcd, and that no member waits for a restart to apply them."""
    source = Path(__file__).parent / "host/cluster.py"
    wanted = flat(patroni.cluster(env))
    leaving = {host.name: host.address for host in env.hosts if "postgresql" not in host.groups}
    planned = [host.name for host in env.group("postgresql")]
    known = {**context(env), "settings": list(wanted), "planned": planned, "leaving": leaving}
    items: dict[str, dict[str, Any]] = {"config": {**wanted, "others": []}}
    items |= {f"member {name}": MEMBER for name in known["members"]}
    extra: Literal["keep", "remove"] = "keep" if env.left_out else "remove"
    return State("patroni", source, items, context=known, extra=extra)


def _contents(env: Environment) -> State:
    services = env.catalogue.services_of_store("postgresql")
    logins = [login for service in services for login in env.logins("postgresql", service.name)]
    logins.append((access.REPLICATION, env.secret("postgresql/replication")))
    payload = {f"role {user}": partial(scram.verifier, user, password) for user, password in logins}
    schemas = {
        f"schema {service.name}": (service, schema)
        for service in services
        if (schema := env.catalogue.schema_of(service))
    }
    payload |= {name: partial(str, schema.text) for name, (_, schema) in schemas.items()}
    return State(
        "postgresql",
        Path(__file__).parent / "host/state.py",
        items(env, services),
        context={**context(env), "schemas": {name: _schema(*each) for name, each in schemas.items()}},
        payload=Lazy(payload),
        extra="remove" if env.prune_data else "report",
    )


def _schema(service: Service, schema: Schema) -> dict[str, Any]:
    """Return what host-side code needs to tell whether a first schema is there."""
    known = {"file": schema.file, "sha256": schema.sha256, "tables": list(schema.tables)}
    return {**known, "database": service.database, "owner": service.database}

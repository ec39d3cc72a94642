"""PostgreSQL on one host: packages, configuration, and the databases and roles inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, File, State, Unit, User
from roles.postgresql import scram
from roles.postgresql.tuning import DOCUMENTED_MEMORY_BYTES, tuned

if TYPE_CHECKING:
    from roles.catalogue import Service

CLUSTER = "main"


def plan(env: Environment, host: Host) -> Desired:
    """The server as Debian packages it, with our configuration in place of its own."""
    version = env.setting.postgresql_version
    directory = f"/etc/postgresql/{version}/{CLUSTER}"
    unit = f"postgresql@{version}-{CLUSTER}"
    config, access = f"{directory}/postgresql.conf", f"{directory}/pg_hba.conf"
    drop_in = f"/etc/systemd/system/{unit}.service.d/10-nexus-cos.conf"
    services = env.catalogue.services_of_store("postgresql")
    return Desired(
        early=(
            # Debian makes the cluster while the package is installed, and checksums are chosen then.
            File("/etc/postgresql-common/createcluster.conf", env.render("postgresql/createcluster.conf.j2")),
        ),
        packages=(f"postgresql-{version}",),
        users=(User("postgres", groups=(KEY_GROUP,), home="/var/lib/postgresql"),),
        files=(
            _file(config, env.render("postgresql/postgresql.conf.j2", **_values(env, host, directory))),
            _file(access, env.render("postgresql/pg_hba.conf.j2", services=services, clients=_clients(env, host))),
            File(drop_in, env.render("postgresql/service.conf.j2")),
        ),
        units=(
            Unit(
                unit,
                restart_on=(config, drop_in),
                reload_on=(access, CA, LEAF, KEY),
                reload_check=env.render("postgresql/check.sh.j2", version=version, config=config),
            ),
        ),
        states=(_state(env, services),),
    )


def items(env: Environment, services: list[Service]) -> dict[str, dict[str, Any]]:
    """Owner role, two log-ins and database of each service, as the host-side code reports them."""
    found: dict[str, dict[str, Any]] = {}
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
        found[f"database {owner}"] = {"service": service.name, "owner": owner, "public": False}
    return found


def _role(service: str, **values: Any) -> dict[str, Any]:
    nobody = {"login": False, "password": "", "member_of": [], "acts_as": "", "limit": -1}
    return {"service": service, **nobody, **values}


def _state(env: Environment, services: list[Service]) -> State:
    logins = {
        f"role {user}": (user, password)
        for service in services
        for user, password in env.logins("postgresql", service.name)
    }
    return State(
        "postgresql",
        Path(__file__).with_name("remote.py"),
        items(env, services),
        context={"port": env.setting.postgresql_port},
        payload=scram.Verifiers(logins),
        extra="remove" if env.setting.prune_data else "report",
    )


def _values(env: Environment, host: Host, directory: str) -> dict[str, Any]:
    memory = host.traits.memory_bytes if host.traits else DOCUMENTED_MEMORY_BYTES
    figures = env.catalogue.operations.tuning
    return {
        "directory": directory,
        "host": host,
        "tuning": tuned(figures.postgresql, memory * host.setting.postgresql_memory_percent // 100),
        "slow_ms": figures.queries["slow_ms"],
        "certificate": LEAF,
        "key": KEY,
    }


def _clients(env: Environment, host: Host) -> list[str]:
    """Networks that services connect from, beside the host itself.

    Tasks on other hosts come with their host's address; those on this very host with their own.
    """
    if env.setting.postgresql_client_networks:
        return list(env.setting.postgresql_client_networks)
    own = [env.setting.swarm_gateway_network] if "app" in host.groups else []
    return [f"{other.address}/32" for other in env.hosts if other.groups & {"app", "postgresql"}] + own


def _file(path: str, content: str) -> File:
    return File(path, content, owner="postgres", group="postgres", mode=0o640)

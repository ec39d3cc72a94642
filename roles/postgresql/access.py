"""Who may log in where: lines of pg_hba.conf, in PostgreSQL's and in PgBouncer's own."""

from __future__ import annotations

from ipaddress import ip_network

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError

LOOKUP, REPLICATION, SUPERUSER = "pgbouncer", "replicator", "postgres"
LOCAL = "127.0.0.1/32"
LOOKUP_BODY = (
    " select rolname::text, case when rolvaliduntil < now() then null else rolpassword end from pg_authid "
    "where rolname = who and rolcanlogin and not rolsuper and not rolreplication "
)


def server(env: Environment, host: Host) -> list[str]:
    """A service's database is open to its own two log-ins, and to nobody else.

    The pooler comes through the local socket. Other members replicate, rewind, and ask as superuser.
    """
    members = [f"{member.address}/32" for member in env.group("postgresql")]
    lines = [
        f"local all {SUPERUSER} peer",
        f"local replication {SUPERUSER} peer",
        f"local {SUPERUSER} {LOOKUP} peer map={LOOKUP}",
    ]
    # Patroni asks its own server for its timeline in this way: without it a former primary is never rewound.
    lines += [f"hostssl replication {REPLICATION} {member} scram-sha-256" for member in (*members, LOCAL)]
    lines += [f"hostssl all {SUPERUSER} {member} scram-sha-256" for member in members]
    for service in env.catalogue.services_of_store("postgresql"):
        users = _users(env, service.name)
        lines.append(f"local {service.database} {users} scram-sha-256")
        lines += [f"hostssl {service.database} {users} {client} scram-sha-256" for client in clients(env, host)]
    return lines


def accounts() -> list[str]:
    """Which account of the host may come as which user by the local socket; the pooler needs no password so."""
    return [f"{LOOKUP} {SUPERUSER} {LOOKUP}"]


def pooler(env: Environment, host: Host) -> list[str]:
    """The same for those who come over the network through the pooler; its own user on the local socket."""
    lines = [f"local pgbouncer {LOOKUP} peer"]
    for service in env.catalogue.services_of_store("postgresql"):
        users = _users(env, service.name)
        lines += [f"hostssl {service.database} {users} {client} scram-sha-256" for client in clients(env, host)]
    return lines


def clients(env: Environment, host: Host) -> list[str]:
    """Networks that services connect from, the host itself last.

    What comes through a proxy comes with its host's address; tasks on this very host with their own.
    """
    if env.setting.postgresql_client_networks:
        return [*env.setting.postgresql_client_networks, LOCAL]
    own = [env.setting.gateway_network] if "app" in host.groups else []
    return [*(f"{other.address}/32" for other in env.hosts if other.groups & {"app", "postgresql"}), *own, LOCAL]


def check(env: Environment) -> None:
    """OperatorError for a network that is none: the server would go on with its old rules."""
    for network in env.setting.postgresql_client_networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise OperatorError(
                f'postgresql_client_networks: "{network}" is no network: {error}; write it as 10.0.2.0/24'
            ) from None


def _users(env: Environment, service: str) -> str:
    return ",".join(user for user, _ in env.logins("postgresql", service))

"""Lines of pg_hba.conf, for PostgreSQL and for PgBouncer: who may log in where."""

from ipaddress import ip_network

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError

LOOKUP, REPLICATION, SUPERUSER = "pgbouncer", "replicator", "postgres"
METRICS = "prometheus"  # exporters log in with the name of their account on the host
LOCAL = "127.0.0.1/32"
LOOKUP_BODY = (
    " select rolname::text, case when rolvaliduntil < now() then null else rolpassword end from pg_authid "
    "where rolname = who and rolcanlogin and not rolsuper and not rolreplication "
)


def server(env: Environment, host: Host) -> list[str]:
    """Return the server's rules: a service's database admits only the two logins of that service.

    The pooler connects through the local socket. Other members connect to replicate, to rewind and, as
    superuser, to query.
    """
    members = [f"{member.address}/32" for member in env.group("postgresql")]
    lines = [
        f"local all {SUPERUSER} peer",
        f"local replication {SUPERUSER} peer",
        f"local {SUPERUSER} {LOOKUP} peer map={LOOKUP}",
        f"local {SUPERUSER} {METRICS} peer",
    ]
    # Patroni reads the timeline of its own server this way. Without it, a former primary is never rewound.
    lines += [f"hostssl replication {REPLICATION} {member} scram-sha-256" for member in (*members, LOCAL)]
    lines += [f"hostssl all {SUPERUSER} {member} scram-sha-256" for member in members]
    for service in env.catalogue.services_of_store("postgresql"):
        users = _users(env, service.name)
        lines.append(f"local {service.database} {users} scram-sha-256")
        lines += [f"hostssl {service.database} {users} {client} scram-sha-256" for client in clients(env, host)]
    return lines


def accounts() -> list[str]:
    """Map an account of the host to users at the local socket, so that the pooler needs no password."""
    return [f"{LOOKUP} {SUPERUSER} {LOOKUP}"]


def pooler(env: Environment, host: Host) -> list[str]:
    """Return the pooler's rules: services over the network; its own user and the exporter's at the local socket."""
    lines = [f"local pgbouncer {LOOKUP} peer", f"local pgbouncer {METRICS} peer"]
    for service in env.catalogue.services_of_store("postgresql"):
        users = _users(env, service.name)
        lines += [f"hostssl {service.database} {users} {client} scram-sha-256" for client in clients(env, host)]
    return lines


def clients(env: Environment, host: Host) -> list[str]:
    """Return the networks that services connect from, the host itself last.

    A connection through a proxy has the address of the proxy's host. Tasks on this host connect with their own.
    """
    if env.setting.postgresql_client_networks:
        return [*env.setting.postgresql_client_networks, LOCAL]
    own = [env.setting.gateway_network] if "app" in host.groups else []
    return [*(f"{other.address}/32" for other in env.hosts if other.groups & {"app", "postgresql"}), *own, LOCAL]


def check(env: Environment) -> None:
    """Raise OperatorError for an invalid network: the server would keep its old rules."""
    for network in env.setting.postgresql_client_networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise OperatorError(
                f'postgresql_client_networks: "{network}" is not a network: {error}. Write it as 10.0.2.0/24'
            ) from None


def _users(env: Environment, service: str) -> str:
    return ",".join(user for user, _ in env.logins("postgresql", service))

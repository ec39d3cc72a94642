"""Ways to PostgreSQL through the proxy: the primary and the replicas behind their poolers, and the primary itself.

Patroni's API says which role each server has. The proxy cuts the connections of a server that loses its role, so
that clients reconnect.
"""

from nexus.environment.environment import Environment, Host
from roles.proxy.section import Section, interval, tls


def sections(env: Environment) -> list[Section]:
    """Sections "postgresql", "postgresql-replicas" and "postgresql-direct"."""
    setting, members = env.setting, env.group("postgresql")
    pooled, direct = int(setting.pgbouncer_port), int(setting.postgresql_port)
    share = max(1, int(setting.postgresql_direct_connections) // max(1, len(env.group("app"))))
    primary = [_server(member, pooled, _check(env, member)) for member in members]
    replicas = [_server(member, pooled, _check(env, member)) for member in members]
    # Without a replica, reads go to the primary.
    instead = [
        f"server {member.name}-primary {member.address}:{pooled} track postgresql/{member.name} backup"
        for member in members
    ]
    past = [_server(member, direct, f"track postgresql/{member.name} {CUT} maxconn {share}") for member in members]
    lag = f"/replica?lag={setting.postgresql_replica_lag_bytes}"
    return [
        Section("postgresql", int(setting.postgresql_proxy_port), _text("/primary", primary)),
        Section(
            "postgresql-replicas",
            int(setting.postgresql_proxy_replica_port),
            _text(lag, [*replicas, *instead], "balance leastconn"),
        ),
        Section("postgresql-direct", int(setting.postgresql_proxy_direct_port), "\n".join(past)),
    ]


CUT = "on-marked-down shutdown-sessions"


def _text(path: str, servers: list[str], *more: str) -> str:
    # Not GET: HAProxy would close the connection before the body, and Patroni would log that.
    return "\n".join([f"option httpchk OPTIONS {path}", "http-check expect status 200", *more, *servers])


def _server(member: Host, port: int, rest: str) -> str:
    return f"server {member.name} {member.address}:{port} {rest}"


def _check(env: Environment, member: Host) -> str:
    return f"check port {env.setting.postgresql_rest_port} {tls(member)} {interval(env)} {CUT}"

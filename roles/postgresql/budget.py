"""Connections to PostgreSQL: what the catalogue's services may open, against what the server has.

Every service has its own pool in PgBouncer, whatever its number of replicas. Both of its logins share the pool,
since the limit is per database. So the number of services decides how many connections the server needs, and the
number of replicas how many the pooler needs.
"""

from dataclasses import dataclass

from nexus.catalogue.size import Scale, size
from nexus.environment.environment import Environment
from nexus.error import OperatorError

LOOKUP = 1  # PgBouncer's own, to look passwords up
RESERVED = 3  # superuser_reserved_connections


@dataclass(frozen=True)
class Budget:
    """Connections of one server, and of the clients of one pooler."""

    services: int
    pooled: int  # server connections of all services together
    direct: int
    own: int  # Patroni, exporters, operators, the pooler's lookups and the superuser's reserve
    most: int  # max_connections
    clients: int  # connections that all replicas may have open to the pooler while they all roll

    @property
    def used(self) -> int:
        """Connections that may be open at once."""
        return self.pooled + self.direct + self.own


def budget(env: Environment) -> Budget:
    """The budget of an environment, whether it fits or not."""
    setting = env.setting
    services = env.catalogue.services_of_store("postgresql")
    replicas = sum(size(service, Scale.of(setting)).replicas for service in services)
    return Budget(
        services=len(services),
        pooled=len(services) * int(setting.pgbouncer_pool_size),
        direct=int(setting.postgresql_direct_connections),
        own=int(setting.postgresql_own_connections) + LOOKUP + RESERVED,
        most=int(setting.postgresql_max_connections),
        clients=2 * replicas * env.catalogue.operations.tuning.db_pool.max,
    )


def check(env: Environment) -> None:
    """Raise OperatorError, with figures, if the budget is exceeded."""
    found, setting = budget(env), env.setting
    if found.used > found.most:
        raise OperatorError(
            f"PostgreSQL has too few connections: {found.services} services with {setting.pgbouncer_pool_size} each "
            f"need {found.pooled}, which with {found.direct} direct and {found.own} internal ones makes {found.used}, "
            f"but postgresql_max_connections is {found.most}. Raise it to {found.used}, or lower pgbouncer_pool_size "
            "or postgresql_direct_connections"
        )
    if setting.postgresql_connection_limit < setting.pgbouncer_pool_size:
        raise OperatorError(
            f"postgresql_connection_limit is {setting.postgresql_connection_limit}, less than one pool "
            f"(pgbouncer_pool_size is {setting.pgbouncer_pool_size}): raise the limit or lower the pool size"
        )

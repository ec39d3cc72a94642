"""The roles of this platform in the order in which they are applied. Deploys call each role on its own line."""

from nexus.run.role import Fact, Role, Roles

DIGESTS: frozenset[Fact] = frozenset({"digests"})
KEPT: frozenset[Fact] = frozenset({"kept"})

ROLES = Roles(
    "roles",
    {
        "base": Role(("all",), essential=True, shows_state=True),
        "certificate": Role(("all",)),
        "apt": Role(("all",), shows_state=True),
        "hardening": Role(("all",), shows_state=True),
        "storage": Role(("storage",)),
        "etcd": Role(("etcd",), data="/var/lib/etcd", majority=True, locks=True),
        "postgresql": Role(("postgresql",), data="/var/lib/postgresql", majority=True),
        "pgbouncer": Role(("postgresql",), data=""),
        "redis": Role(("redis",), data="/var/lib/redis", majority=True),
        "sentinel": Role(("redis",), data=""),
        "rabbitmq": Role(("rabbitmq",), data="/var/lib/rabbitmq", majority=True),  # moved aside if the host joins again
        "mongodb": Role(("mongodb",), data="/var/lib/mongodb", majority=True),
        "backup": Role(("postgresql", "redis", "rabbitmq", "mongodb", "ops")),
        "proxy": Role(("app",), shows_state=True),
        "docker": Role(("app", "edge", "ops"), shows_state=True),
        "registry": Role(("ops",)),
        "image": Role(("ops",), tells="digests", shows_state=True),
        "swarm": Role(
            ("app", "edge", "ops"),
            cluster=True,
            tells="kept",
            needs=KEPT,
            keeps={"drained": "swarm_drained"},
            shows_state=True,
        ),
        "router": Role(("edge",), needs=KEPT, shows_state=True),
        "service": Role(
            ("app",), cluster=True, needs=DIGESTS | KEPT, keeps={"replicas": "service_replicas"}, shows_state=True
        ),
        "frontend": Role(("edge",), needs=KEPT, shows_state=True),
        "nginx": Role(("edge",), needs=KEPT, keeps={"maintenance": "nginx_maintenance"}, shows_state=True),
        "keepalived": Role(("edge",)),
        "acme": Role(("edge", "ops"), shows_state=True),
        "log_store": Role(("ops",)),
        "log_forwarder": Role(("all",)),
        "exporter": Role(("all",)),
        "alertmanager": Role(("ops",)),
        "prometheus": Role(("ops",), needs=KEPT),
        "grafana": Role(("ops",)),
        "elk": Role(("ops",)),
        "firewall": Role(("all",), shows_state=True),
        "health": Role(("edge",)),
    },
)

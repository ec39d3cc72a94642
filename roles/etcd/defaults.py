"""Settings of the etcd role."""

etcd_client_port: int = 2379  # the port for clients
etcd_peer_port: int = 2380  # the port for other members
etcd_metrics_port: int = 2381  # the port for health and metrics on localhost, without a certificate

# A member that hears nothing from the leader for one to two election timeouts asks for an election. With etcd's
# own 100 and 1000 ms, mere load causes elections where two cores run a whole platform. Much longer times outlast
# Patroni's wait for its store (postgresql_retry_seconds), and a primary would step down.
etcd_heartbeat_milliseconds: int = 200
etcd_election_milliseconds: int = 2000  # the election timeout; see etcd_heartbeat_milliseconds

# How long old revisions are kept. Patroni renews one key every few seconds. etcd reuses the pages of compacted
# revisions, so its file stops growing without defragmentation, which would stop a member while it works.
etcd_retention_hours: int = 1
etcd_quota_bytes: int = 1024**3  # the size beyond which etcd accepts no writes until it is compacted

etcd_wait_seconds: int = 90  # how long a member has to come up, or to get its turn to join

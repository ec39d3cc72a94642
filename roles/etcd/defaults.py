"""Settings of the etcd role."""

etcd_client_port: int = 2379
etcd_peer_port: int = 2380
etcd_metrics_port: int = 2381  # health and metrics on localhost, without a certificate

# A member without a word from the leader for one to two election timeouts asks for an election. etcd's own
# 100 and 1000 ms make elections of nothing but load where two cores run a whole platform; much longer ones
# outlast what Patroni waits for its store (postgresql_retry_seconds), and a primary would step down.
etcd_heartbeat_milliseconds: int = 200
etcd_election_milliseconds: int = 2000

# Patroni renews one key every few seconds. Pages of compacted revisions are used again, so the file stops
# growing by itself: there is no defragmentation, which would stop a member while it works.
etcd_retention_hours: int = 1
etcd_quota_bytes: int = 1024**3  # past it nothing is written any more until it is compacted by hand

etcd_wait_seconds: int = 90  # for a member to come up, or for its turn to join

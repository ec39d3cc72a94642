"""Settings of the pgbouncer role."""

pgbouncer_port: int = 6432
# Server connections of one service, whatever its number of replicas: a connection is held for one
# transaction. With 26 services two make 52 of postgresql_max_connections (roles/postgresql/budget.py).
pgbouncer_pool_size: int = 2
pgbouncer_idle_seconds: int = 120  # after this an unused server connection is given back
pgbouncer_prepared_statements: int = 200  # per connection, of clients that prepare what they send

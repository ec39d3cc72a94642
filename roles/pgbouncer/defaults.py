"""Settings of the pgbouncer role."""

pgbouncer_port: int = 6432  # the port of the pooler, for the proxy
# Server connections of one service, whatever its number of replicas: a client holds one for one transaction.
# With 26 services, 2 each make 52 of postgresql_max_connections (roles/postgresql/budget.py).
pgbouncer_pool_size: int = 2
pgbouncer_idle_seconds: int = 120  # the time after which an unused server connection is closed
pgbouncer_prepared_statements: int = 200  # prepared statements per connection, for clients that use them

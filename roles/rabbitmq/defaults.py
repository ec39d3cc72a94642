"""Settings of the rabbitmq role."""

rabbitmq_port: int = 5671  # the port for clients, with TLS
rabbitmq_management_port: int = 15672  # the management port, without TLS, only on 127.0.0.1
rabbitmq_memory_percent: int = 40  # the share of the host's memory above which publishers are blocked
rabbitmq_disk_free_limit_mb: int = 2048  # the free disk space below which publishers are blocked

rabbitmq_tick_seconds: int = 30  # a node that does not answer for this long counts as lost; Erlang's default is 60
# How long to wait for other nodes to answer, to join, and to be back before another node stops.
rabbitmq_wait_seconds: int = 180
rabbitmq_proxy_port: int = 5671  # the proxy's port on hosts that run services
rabbitmq_proxy_check_ms: int = 2000  # the interval of the proxy's checks

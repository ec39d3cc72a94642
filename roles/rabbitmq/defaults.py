"""Settings of the rabbitmq role."""

rabbitmq_port: int = 5671
rabbitmq_management_port: int = 15672  # plain, on 127.0.0.1 alone
rabbitmq_memory_percent: int = 40  # of the host's memory; publishers are blocked above it
rabbitmq_disk_free_limit_mb: int = 2048  # publishers are blocked below it

rabbitmq_tick_seconds: int = 30  # a node that does not answer for so long is taken for lost; Erlang's own is 60
rabbitmq_wait_seconds: int = 180  # for other nodes to answer, to join, and to be back before one more stops
rabbitmq_proxy_port: int = 5671  # of the proxy on the hosts that run services
rabbitmq_proxy_check_ms: int = 2000

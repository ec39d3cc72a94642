"""Settings of the rabbitmq role."""

from __future__ import annotations

rabbitmq_port: int = 5671
rabbitmq_management_port: int = 15672  # plain, on 127.0.0.1 alone
rabbitmq_memory_percent: int = 40  # of the host's memory; publishers are blocked above it
rabbitmq_disk_free_limit_mb: int = 2048  # publishers are blocked below it

"""Settings of the exporter role."""

exporter_port: int = 9998  # the port of each host where Prometheus reads all its metrics, over mutual TLS

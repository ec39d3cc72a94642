"""Settings of the alertmanager role."""

alertmanager_port: int = 9093  # the port where Prometheus sends alerts, over mutual TLS
alertmanager_cluster_port: int = 9094  # the port where the Alertmanagers of several ops hosts agree, over mutual TLS

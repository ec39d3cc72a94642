"""Settings of the prometheus role."""

prometheus_port: int = 9090  # the port of Prometheus on each ops host, on loopback
prometheus_retention_bytes_max: str = "5GB"  # the largest size of its data; the oldest goes first, whatever its age
# Overrides of alerts in operations.yaml, by name: {"HighCPU": {"above": 0.9}, "RebootRequired": {"off": True}}
prometheus_alerts: dict[str, dict[str, object]] = {}
prometheus_duration_scale: float = 1.0  # factor of every alert's for_seconds; tests make it small
# The page with a section for each alert, as `make handoff` makes it. If you publish it, give its address here.
prometheus_runbooks: str = "docs/THIIO-HANDOFF/operations/runbook-monitoring.md"

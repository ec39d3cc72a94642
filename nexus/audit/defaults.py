"""Settings of the audit record."""

history_runs: int = 20  # number of runs to show if no time is given
# Directory in which the end of the last run is written for Prometheus, as its exporter reads it; empty: nowhere.
record_metrics_directory: str = "/var/lib/prometheus/node-exporter"
record_group: str = "ops"  # group whose hosts keep the record; if none of them can be reached, another host keeps it
# Group whose first host keeps a second copy of the record, so that it outlives the host above; empty: no copy.
record_copy_group: str = "data"

"""Settings of the audit record."""

history_runs: int = 20  # number of runs to show if no time is given
record_group: str = "ops"  # group whose hosts keep the record; if none of them can be reached, another host keeps it

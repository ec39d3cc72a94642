"""Settings of the record."""

history_runs: int = 20  # runs shown where no time is given
record_group: str = "ops"  # hosts that keep the record, if it has any; the others for want of one that is reached

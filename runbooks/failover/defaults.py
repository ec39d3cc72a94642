"""Settings of failovers."""

failover_seconds: int = 120  # for all to follow the new primary

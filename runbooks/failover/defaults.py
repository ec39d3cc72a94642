"""Settings of failovers."""

failover_seconds: int = 120  # how long all members may take to follow the new primary

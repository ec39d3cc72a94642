"""Settings of hosts that exist."""

contact_disk_free_bytes: int = 2 * 1024**3  # free space below /var that a host without a run yet must have

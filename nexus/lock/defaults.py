"""Settings of the lock."""

lock_lease_seconds: int = 45  # a holder that says nothing for so long is dead; at most 60
lock_renew_seconds: int = 10  # how often a living one says so

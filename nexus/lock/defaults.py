"""Settings of the lock."""

lock_lease_seconds: int = 45  # a holder that does not renew the lock for this long counts as dead; at most 60
lock_renew_seconds: int = 10  # interval at which the holder renews the lock

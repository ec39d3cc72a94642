"""Settings of the lock."""

from __future__ import annotations

lock_lease_seconds: int = 45  # a holder that says nothing for so long is dead; at most 60
lock_renew_seconds: int = 10  # how often a living one says so

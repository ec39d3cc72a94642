"""Settings of the failover role."""

from __future__ import annotations

failover_seconds: int = 120  # for all to follow the new primary
failover_rebuild_seconds: int = (
    4 * 3600
)  # for a replica's copy; as long as the documents allow a recovery to take

"""Settings of the status role. Most targets are the catalogue's (operations.yaml)."""

from __future__ import annotations

# A run in a new month renews, and a leaf lives for three: with fewer days left nobody ran for two months.
status_certificate_days: int = 21
status_redis_lag_seconds: int = 30  # of a replica; the documents give a figure for PostgreSQL alone
status_answer_seconds: int = 8  # of one part of a host, such as its broker

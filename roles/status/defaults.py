"""Settings of the status role. Most targets are the catalogue's (operations.yaml)."""

from __future__ import annotations

# Hosts renew when a third of a certificate's life is over: with fewer days left one has not done so for weeks.
status_certificate_days: int = 21
status_prepared_days: int = 180  # for which hosts have certificates without a run
status_redis_lag_seconds: int = 30  # of a replica; the documents give a figure for PostgreSQL alone
status_answer_seconds: int = 8  # of one part of a host, such as its broker

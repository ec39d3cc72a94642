"""Settings of the certificate role."""

from __future__ import annotations

certificate_names: list[str] = []  # further names for the leaf certificate of a host or group
certificate_period_seconds: int = 2_592_000  # 30 days: a leaf lives for three periods and is replaced after one
certificate_prepared_days: float = 730.0  # for which leaves are prepared on each host: so long it needs no run

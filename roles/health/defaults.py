"""Settings of the health role."""

from __future__ import annotations

health_timeout_seconds: int = 180  # how long a run waits for services to become healthy
health_log_lines: int = 5  # last log lines shown of each service that did not

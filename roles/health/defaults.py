"""Settings of the health role."""

health_timeout_seconds: int = 180  # how long a run waits for services to become healthy
health_log_lines: int = 5  # how many log lines are shown of each service that is not healthy

"""Settings of releases. None means the figure of operations.yaml."""

release_keep: int = 5  # earlier releases of each service that a rollback can return to
release_side_by_side: int = 6  # services released at the same time, none of which depends on another
release_ready_seconds: int = 90  # how long a new task may take to become ready
release_min_ready_seconds: int | None = None  # how long a new release is watched before it is recorded
release_gate_requests: int = 50  # with fewer real requests, this number of our own is sent and judged
release_baseline_minutes: int = 5  # minutes of earlier traffic that the new release is compared with
release_on_failure: str = "stop"  # if one of several services fails: "stop" there, or take all "back"
release_canary_seconds: int | None = None  # time from one step of a canary to the next
release_canary_step_percent: int | None = None  # percent of the traffic that each step of a canary adds
release_migration_seconds: int = 600  # how long a migration may take

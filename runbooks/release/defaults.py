"""Settings of releases. None stands for the figure of operations.yaml."""

release_keep: int = 5  # releases of each service that can be gone back to
release_side_by_side: int = 6  # services that are released at once, none of which depends on another
release_ready_seconds: int = 90  # until a new task has to be ready
release_min_ready_seconds: int | None = None  # how long it is watched before it counts as released
release_gate_requests: int = 50  # fewer real requests say nothing: as many of our own are sent
release_baseline_minutes: int = 5  # of traffic before, which the traffic after is compared with
release_on_failure: str = "stop"  # where one of several services fails: "stop" there, or all go "back"
release_canary_seconds: int | None = None  # from one step of a canary to the next
release_canary_step_percent: int | None = None  # by how much it grows
release_migration_seconds: int = 600  # until a migration has to have ended

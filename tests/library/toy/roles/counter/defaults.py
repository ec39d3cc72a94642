"""Settings of the counter."""

counter_value: int = 3  # where it stands

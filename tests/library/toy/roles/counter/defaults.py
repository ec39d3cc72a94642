"""Settings of the counter."""

counter_value: int = 3  # the counter's value

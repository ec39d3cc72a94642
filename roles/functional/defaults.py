"""Settings of the functional checks."""

functional_timeout_seconds: int = 20  # how long a failing check is repeated, because a store may be failing over
functional_answer_seconds: int = 5  # how long one request may take

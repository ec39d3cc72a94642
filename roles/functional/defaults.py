"""Settings of the functional checks."""

functional_timeout_seconds: int = 20  # for so long a check that fails is tried again, as a store may be failing over
functional_answer_seconds: int = 5  # how long one request may take

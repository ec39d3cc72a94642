"""Settings of what hosts are asked."""

status_answer_seconds: int = 8  # of one part of a host, such as its broker

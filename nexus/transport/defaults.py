"""Settings of questions to hosts."""

status_answer_seconds: int = 8  # time limit for the answer of one part of a host, such as its broker

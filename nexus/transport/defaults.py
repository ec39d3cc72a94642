"""Settings of the way to hosts and of questions to them."""

status_answer_seconds: int = 8  # time limit for the answer of one part of a host, such as its broker
# whether sudo on hosts asks for a password; it comes from NEXUS_SUDO_PASSWORD, or is asked for on the terminal
sudo_asks_password: bool = False

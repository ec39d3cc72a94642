"""The command line: checks before a run of pyinfra, and the summary after it."""

"""What saves a host's stores, brings them back, and proves that it can. Standard library alone.

It is laid down on every host that has something to save, run by timers and by runbooks, and works without the
machine that runs deploys. `config` is the file that roles/backup/plan.py renders, as data.
"""

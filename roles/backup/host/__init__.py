"""What saves a host's stores, brings them back, and proves that it can. Standard library alone.

It is installed on every host that has something to save, run by timers and by runbooks, and works without the
machine that runs deploys. `config` is the file that roles/backup/plan.py renders, as data. What is particular to a
store lies with its role, as roles/NAME/host/backup.py.

state.py, program.py and start_unit.py are no part of the program: they are sent to hosts.
"""

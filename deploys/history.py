"""Who changed what, from the environment's record.

    pyinfra inventory deploys/history.py                                        the last runs
    pyinfra inventory deploys/history.py --data host=app2 --data since=yesterday
    pyinfra inventory deploys/history.py --data item=nginx --data since=7d

Without `since` the last `history_runs` are told.
"""

from roles.record.history import history

history()

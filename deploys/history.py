"""Show who changed what, from the environment's audit record.

    pyinfra inventory deploys/history.py                                        the last runs
    pyinfra inventory deploys/history.py --data host=app2 --data since=yesterday
    pyinfra inventory deploys/history.py --data item=nginx --data since=7d

Without `since` it shows the last `history_runs`.
"""

from nexus.audit.history import history
from nexus.run.arguments import Since, Word, arguments

given = arguments(
    read_only=True,
    host=Word("only changes of this host, which may have left the inventory"),
    since=Since("only runs since then: 15m, 3h, 7d, yesterday, today, a date, or a time such as 2026-11-22T19:00"),
    item=Word("only items with this word in their name or role"),
)
history(given.host, given.since, given.item)

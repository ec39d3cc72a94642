"""Show log lines of services or of a unit.

    pyinfra inventory deploys/logs.py -y --data service=auth-service --data since=15m --data grep=error
    pyinfra inventory deploys/logs.py -y --data unit=nginx --data host=edge1 --data lines=50

Changes nothing.
"""

from nexus.run.arguments import Host, Number, Services, Since, Word, arguments
from runbooks.daily import logs

given = arguments(
    service=Services("the services to read"),
    unit=Word("the systemd unit to read, instead of services"),
    host=Host("the host of the unit; every host that has it if not given"),
    since=Since("how far back: 30s, 15m, 3h, 7d, a date, or a time such as 2026-11-22T19:00", "1h"),
    grep=Word("only lines that contain this text"),
    lines=Number("the most lines to show, the newest ones", 200),
)
logs(given.service, given.unit, given.host, given.since, given.grep, given.lines)

"""Show log lines of all hosts, by service, unit, host, time, text or request.

    pyinfra inventory deploys/logs.py -y --data service=auth-service --data since=15m --data grep=error
    pyinfra inventory deploys/logs.py -y --data request=4f1c2a9e07d34b5c8f60a1b2c3d4e5f6
    pyinfra inventory deploys/logs.py -y --data unit=nginx --data host=edge1 --data lines=50

The log store is asked; of a request it shows the way from the edge to the services. If it is not reached, hosts are
asked for a service or a unit. Changes nothing.
"""

from nexus.run.arguments import Host, Number, Services, Since, Word, arguments
from runbooks.daily import logs
from runbooks.daily.log import Wanted

given = arguments(
    service=Services("the services to read"),
    unit=Word("the systemd unit to read"),
    host=Host("the host whose lines to read; every host if not given"),
    request=Word("the id of a request: header X-Request-Id, or requestId of an answer"),
    since=Since("how far back: 30s, 15m, 3h, 7d, a date, or a time such as 2026-11-22T19:00", "1h"),
    until=Since("the end of the time to read; now if not given"),
    grep=Word("only lines that contain this text"),
    lines=Number("the most lines to show, the newest ones", 200),
)
logs(
    Wanted(
        services=given.service,
        unit=given.unit,
        host=given.host,
        request=given.request,
        grep=given.grep,
        since=given.since,
        until=given.until,
        lines=given.lines,
    )
)

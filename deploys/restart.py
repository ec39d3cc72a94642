"""Restart services or a unit, never all tasks or hosts at once.

    pyinfra inventory deploys/restart.py -y --data service=auth-service,user-auth
    pyinfra inventory deploys/restart.py -y --data unit=redis-server --data host=data2

New tasks start before old ones end. A unit restarts on one host after the other. Patroni also stops PostgreSQL, so it
needs `force=true`. `--dry` shows what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Flag, Host, Services, Word, arguments
from runbooks.daily import restart_services_or_units

given = arguments(
    service=Services("the services to restart"),
    unit=Word("the systemd unit to restart, instead of services"),
    host=Host("the host of the unit; every host that has it if not given"),
    force=Flag("restart Patroni even if writes have to wait"),
)
restart_services_or_units(given.service, given.unit, given.host, given.force)
local.include("deploys/verify.py")

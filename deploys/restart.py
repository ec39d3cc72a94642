"""Services or a unit, restarted without taking all of it away at once.

    pyinfra inventory deploys/restart.py -y --data service=auth-service,user-auth
    pyinfra inventory deploys/restart.py -y --data unit=redis-server --data host=data2

New tasks first; a unit on one host after the other. Patroni, which takes PostgreSQL along, wants `force=true`.
`--dry` says what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Flag, Host, Services, Word, arguments
from runbooks.daily import restart_services_or_units

given = arguments(
    service=Services("the services to restart"),
    unit=Word("the systemd unit to restart, instead of services"),
    host=Host("the host of the unit; every host that has it if not given"),
    force=Flag("restart Patroni although writes may have to wait"),
)
restart_services_or_units(given.service, given.unit, given.host, given.force)
local.include("deploys/verify.py")

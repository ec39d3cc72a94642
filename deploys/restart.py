"""Services or a unit, restarted without taking all of it away at once.

    pyinfra inventory deploys/restart.py -y --data service=auth-service,user-auth
    pyinfra inventory deploys/restart.py -y --data unit=redis-server --data host=data2

New tasks first; a unit on one host after the other. Patroni, which takes PostgreSQL along, wants `force=true`.
`--dry` says what would happen.
"""

from pyinfra import local

from roles.daily import restart_services_or_units

restart_services_or_units()
local.include("deploys/verify.py")

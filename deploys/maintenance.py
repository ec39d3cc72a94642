"""Drain a host, or show a page in place of a module or service, until `back=true` ends it.

    pyinfra inventory deploys/maintenance.py -y --data host=app2
    pyinfra inventory deploys/maintenance.py -y --data module=puabo-nexus
    pyinfra inventory deploys/maintenance.py -y --data service=auth-service --data back=true

`--dry` shows what would happen.
"""

from pyinfra import host, local

from nexus.run.arguments import Flag, Host, Services, Word, arguments
from roles.frontend import frontend
from roles.nginx import nginx
from roles.prometheus import prometheus
from roles.swarm import swarm
from runbooks.daily import begin_or_end_maintenance

given = arguments(
    host=Host("the host whose tasks move to others"),
    module=Word("the module to close, by its slug in the catalogue"),
    service=Services("the services to close"),
    back=Flag("end the maintenance"),
    message=Word("what visitors of the module read meanwhile"),
)
begin_or_end_maintenance(given.host, given.module, given.service, given.back, given.message)
if {"app", "edge", "ops"} & set(host.groups):
    swarm()
if "edge" in host.groups:
    frontend()
    nginx()
if "ops" in host.groups:
    prometheus()  # no alerts about what is closed
local.include("deploys/verify.py")

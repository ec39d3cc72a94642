"""A host without tasks, or a page in place of a module or service, until it is taken back by `back=true`.

    pyinfra inventory deploys/maintenance.py -y --data host=app2
    pyinfra inventory deploys/maintenance.py -y --data module=puabo-nexus
    pyinfra inventory deploys/maintenance.py -y --data service=auth-service --data back=true

`--dry` says what would happen.
"""

from pyinfra import host, local

from roles.daily import begin_or_end_maintenance
from roles.nginx import nginx
from roles.swarm import swarm

begin_or_end_maintenance()
if {"app", "edge", "ops"} & set(host.groups):
    swarm()
if "edge" in host.groups:
    nginx()
local.include("deploys/verify.py")

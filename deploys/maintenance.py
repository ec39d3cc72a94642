"""A host without tasks, or a page in place of a module, until it is taken back by `--data back=true`.

    pyinfra inventory deploys/maintenance.py -y --data host=app2
    pyinfra inventory deploys/maintenance.py -y --data module=puabo-nexus
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

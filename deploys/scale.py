"""Set the number of replicas of services; later runs of any checkout keep it.

    pyinfra inventory deploys/scale.py -y --data service=auth-service --data replicas=3

`replicas=catalogue` undoes it. `--dry` shows what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Services, Word, arguments
from runbooks.daily import scale_services

given = arguments(
    service=Services("the services to scale"), replicas=Word("the number, or catalogue for the catalogue's number")
)
scale_services(given.service, given.replicas)
local.include("deploys/service.py")
local.include("deploys/verify.py")

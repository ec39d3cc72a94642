"""Another number of replicas for a service, which later runs of any checkout keep.

    pyinfra inventory deploys/scale.py -y --data service=auth-service --data replicas=3

`replicas=catalogue` takes it back. `--dry` says what would happen.
"""

from pyinfra import local

from nexus.run.arguments import Services, Word, arguments
from runbooks.daily import scale_services

given = arguments(
    service=Services("the services to scale"), replicas=Word("how many, or catalogue for the number of the catalogue")
)
scale_services(given.service, given.replicas)
local.include("deploys/service.py")
local.include("deploys/verify.py")

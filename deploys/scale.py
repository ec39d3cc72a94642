"""Another number of replicas for a service, which later runs of any checkout keep.

    pyinfra inventory deploys/scale.py -y --data service=auth-service --data replicas=3

`replicas=catalogue` takes it back. `--dry` says what would happen.
"""

from pyinfra import local

from roles.daily import scale_services

scale_services()
local.include("deploys/service.py")
local.include("deploys/verify.py")

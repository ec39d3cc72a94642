"""The whole platform, in the order in which it can come up.

    pyinfra inventory deploys/full.py --dry --diff
    pyinfra inventory deploys/full.py -y
    pyinfra inventory deploys/full.py --dry --data plan=plan.json
    pyinfra inventory deploys/full.py -y --data apply=plan.json

What is there already is left alone; what an earlier run has begun is finished. `prune_data=true` also drops data
of services that have left.
"""

from pyinfra import local

from nexus.run.arguments import Choice, Flag, arguments

arguments(
    prune_data=Flag("also drop databases, vhosts and users that nothing declares any more"),
    functional=Choice("checks that read, or full: also those that write", "read", among=("read", "full")),
)
local.include("deploys/base.py")  # packages, names and certificates: everything below needs them
local.include("deploys/engine.py")  # images are built while the stores come up
local.include("deploys/data.py")  # stores before the services that wait for them
local.include("deploys/container.py")  # images, and the swarm that runs them
local.include("deploys/service.py")
local.include("deploys/edge.py")  # no traffic before something healthy can answer
local.include("deploys/verify.py")

"""Converge the whole platform, in the order in which it can come up.

    pyinfra inventory deploys/full.py --dry --diff
    pyinfra inventory deploys/full.py -y
    pyinfra inventory deploys/full.py --dry --data plan=plan.json
    pyinfra inventory deploys/full.py -y --data apply=plan.json

Everything that is as planned is left alone; changes that an earlier run began are finished. `prune_data=true` also
drops data of services that left the catalogue.
"""

from pyinfra import local

from nexus.run.arguments import Choice, Flag, arguments
from roles.frontend import build_front_ends

arguments(
    prune_data=Flag("also drop databases, vhosts and users that no service declares any longer"),
    functional=Choice("read: checks that only read; full: also those that write", "read", among=("read", "full")),
)
build_front_ends()  # plans of edge hosts name their content
local.include("deploys/base.py")  # everything below needs packages, names and certificates
local.include("deploys/apt.py")  # nothing else changes packages meanwhile
local.include("deploys/hardening.py")  # before daemons start, so that none starts under other rules
local.include("deploys/engine.py")  # images are built while the stores come up
local.include("deploys/data.py")  # stores before the services that wait for them
local.include("deploys/container.py")  # images, and the swarm that runs them
local.include("deploys/service.py")
local.include("deploys/edge.py")  # no traffic before healthy services can answer
local.include("deploys/monitoring.py")  # exporters log in to daemons that run
local.include("deploys/firewall.py")  # members that left and clients of old ports have been moved
local.include("deploys/verify.py")

"""The whole platform, in the order in which it can come up."""

from pyinfra import local

local.include("deploys/base.py")  # packages, names and certificates: everything below needs them
local.include("deploys/engine.py")  # images are built while the stores come up
local.include("deploys/data.py")  # stores before the services that wait for them
local.include("deploys/container.py")  # images, and the swarm that runs them
local.include("deploys/service.py")
local.include("deploys/edge.py")  # no traffic before something healthy can answer
local.include("deploys/verify.py")

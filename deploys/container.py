"""The images of all services in the registry, and the swarm that runs them. Run deploys/engine.py first."""

from pyinfra import host

from nexus.run.converge import layer
from roles.firewall import open_ports
from roles.image import image
from roles.swarm import swarm

open_ports()
layer("swarm")
if {"app", "edge", "ops"} & set(host.groups):
    swarm()
if "ops" in host.groups:
    image()

"""Docker, the registry with the images of all services, and the swarm."""

from pyinfra import host

from roles.docker import docker
from roles.image import image
from roles.registry import registry
from roles.swarm import swarm

if "ops" in host.groups:
    registry()  # before Docker, which logs in there
if {"app", "edge", "ops"} & set(host.groups):
    docker()
    swarm()
if "ops" in host.groups:
    image()

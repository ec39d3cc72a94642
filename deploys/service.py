"""The services of the catalogue, in start-up phases, and the router's task in front of them."""

from pyinfra import host

from nexus.run.converge import layer
from roles.firewall import open_ports
from roles.router import router
from roles.service import service

open_ports()
if "edge" in host.groups:
    router()  # its configuration is mounted into the task that the stack starts
layer("services")
if "app" in host.groups:
    service()

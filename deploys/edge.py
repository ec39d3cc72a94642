"""The edge: router, front ends, Nginx with every route of the gateway, public certificate, shared address."""

from pyinfra import host

from nexus.run.converge import layer
from roles.acme import acme
from roles.firewall import open_ports
from roles.frontend import build_front_ends, frontend
from roles.keepalived import keepalived
from roles.nginx import nginx
from roles.router import router

build_front_ends()
open_ports()
layer("edge")
if "edge" in host.groups:
    router()
    frontend()
    nginx()
    keepalived()  # gives the address up where Nginx does not answer
layer("public certificate")  # an authority asks every edge host
if host.groups and {"edge", "ops"} & set(host.groups):
    acme()

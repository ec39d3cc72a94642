"""The edge: the router, front ends of modules, Nginx with every route of the gateway, and a shared address."""

from pyinfra import host

from nexus.run.converge import layer
from roles.frontend import build_front_ends, frontend
from roles.keepalived import keepalived
from roles.nginx import nginx
from roles.router import router

build_front_ends()
layer("edge")
if "edge" in host.groups:
    router()
    frontend()
    nginx()
    keepalived()  # gives the address up where Nginx does not answer

"""The edge: the router's configuration, Nginx with every route of the gateway, and the address that edges share."""

from pyinfra import host

from nexus.run.converge import layer
from roles.keepalived import keepalived
from roles.nginx import nginx
from roles.router import router

layer("edge")
if "edge" in host.groups:
    router()
    nginx()
    keepalived()  # gives the address up where Nginx does not answer

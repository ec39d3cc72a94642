"""The edge: the router's configuration and Nginx with every route of the gateway."""

from pyinfra import host

from nexus.run.converge import layer
from roles.nginx import nginx
from roles.router import router

layer("edge")
if "edge" in host.groups:
    router()
    nginx()

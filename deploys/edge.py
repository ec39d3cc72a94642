"""The edge: the router's configuration and Nginx with every route of the gateway."""

from pyinfra import host

from roles.nginx import nginx
from roles.router import router

if "edge" in host.groups:
    router()
    nginx()

"""Health of every service, asked at the router, and whether services with code of their own do their work.

    pyinfra inventory deploys/verify.py -y [--data functional=full]

The run's exit status says what it found. `functional=full` also runs the checks that write; what they leave behind is
marked "nexus-cos-check".
"""

from pyinfra import host

from nexus.run.arguments import Choice, arguments
from nexus.run.converge import layer
from roles.functional import functional
from roles.health import health

given = arguments(functional=Choice("checks that read, or full: also those that write", "read", among=("read", "full")))
layer("health check")
if "edge" in host.groups:
    health()
    functional(full=given.functional == "full")

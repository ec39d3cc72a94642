"""Health of every service, asked at the router, and whether services with code of their own do their work.

    pyinfra inventory deploys/verify.py -y [--data functional=full]

The run's exit status says what it found. `functional=full` also runs the checks that write; what they leave behind is
marked "nexus-cos-check".
"""

from pyinfra import host

from roles.functional import functional
from roles.health import health
from roles.kit.converge import layer

layer("health check")
if "edge" in host.groups:
    health()
    functional()

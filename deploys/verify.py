"""Health of every service, asked at the router; the run's exit status says what it found."""

from pyinfra import host

from roles.health import health
from roles.kit.converge import layer

layer("health check")
if "edge" in host.groups:
    health()

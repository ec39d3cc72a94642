"""Check services at the router, the work of services that have their own code, and the front ends.

    pyinfra inventory deploys/verify.py -y [--data functional=full]

The exit status is not 0 when a check fails. `functional=full` also runs the checks that write; their data is marked
"nexus-cos-check".
"""

from pyinfra import host

from nexus.run.arguments import Choice, arguments
from nexus.run.converge import layer
from roles.frontend.check import front_ends_answer
from roles.functional import functional
from roles.health import health

given = arguments(
    functional=Choice("read: checks that only read; full: also those that write", "read", among=("read", "full"))
)
layer("health check")
if "edge" in host.groups:
    health()
    functional(full=given.functional == "full")
    front_ends_answer(full=given.functional == "full")

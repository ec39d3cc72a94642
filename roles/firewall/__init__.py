"""The firewall of each host: what no role declares in its flows.py does not arrive.

A run opens ports before it changes anything else, and closes those that are no longer declared after all else: members
that leave a cluster, and clients that still use an old port, reach each other until the run has moved them.
"""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge
from roles.firewall.trial import confirm, open_first


@deploy("Open the firewall")
def open_ports() -> None:
    """What is planned arrives from now on, and what arrived before still does."""
    confirm(open_first())


@deploy("Firewall")
def firewall() -> None:
    """The planned rules are in force, and no others; they stay only if a new connection is possible with them."""
    confirm(converge("firewall"))

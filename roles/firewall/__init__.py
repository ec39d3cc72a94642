"""The firewall of each host: what no role declares in its flows.py does not arrive."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge
from roles.firewall.confirm import confirm


@deploy("Firewall")
def firewall() -> None:
    """The planned rules are in force; they stay only if a new connection is possible with them."""
    converge("firewall")
    confirm()

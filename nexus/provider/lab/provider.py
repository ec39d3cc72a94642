"""The lab as a provider: see nexus/provider/protocol.py."""

from functools import partial

from nexus.provider.lab.environment import load
from nexus.provider.lab.lab import down_as_root, up_as_root
from nexus.provider.protocol import Plan, Step
from nexus.run.role import Roles


def provision(name: str, roles: Roles, volumes: bool) -> Plan:
    """Make the hosts, all at once: the lab finds out itself what is missing."""
    return Plan([Step(f"Make the hosts of {name} (provider lab)", partial(up_as_root, load(name)))])


def destroy(name: str, roles: Roles, volumes: bool) -> Plan:
    """Remove the hosts with all their data, which a lab may always lose."""
    return Plan([Step(f"Remove the hosts of {name} (provider lab)", partial(down_as_root, load(name)))])

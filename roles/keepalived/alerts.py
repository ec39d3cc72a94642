"""Alerts about the shared address: that nobody holds it, and that several hosts do."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.keepalived.plan import shared_address

STATUS = "deploys/status.py; journalctl -u keepalived on the edge hosts"


def alerts(env: Environment) -> Iterator[Alert]:
    """Counted by the addresses that hosts really have, whatever Keepalived says."""
    if not (shared := shared_address(env)):
        return
    holders = f'sum(node_network_address_info{{job="node",address="{shared.ip}"}})'
    yield Alert(
        "EdgeAddressLost",
        f"({holders} or vector(0))",
        f"the edge: {{{{ $value }}}} hosts hold the shared address {shared.ip}, so clients reach nothing",
        STATUS,
    )
    yield Alert(
        "EdgeAddressHeldTwice",
        holders,
        f"the edge: {{{{ $value }}}} hosts hold the shared address {shared.ip}, and at most {{threshold}} may: they do "
        "not reach each other",
        STATUS,
    )

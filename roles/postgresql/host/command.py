"""An operator's requests to Patroni. Runs on one host of the cluster and asks the members over their REST API."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.postgresql.host.patroni_api import Patroni

SECONDS = 90  # Patroni answers once the other member is promoted


def send(context: Mapping[str, Any]) -> None:
    """Send the context's request {"member", "method", "path", "body"}; RemoteError with Patroni's answer if refused."""
    patroni, request = Patroni(context), context["request"]
    members = [request["member"]] if request["member"] else list(patroni.members)
    for member in members:
        status, told = patroni.ask(member, request["method"], request["path"], request["body"], timeout=SECONDS)
        if status:
            break
    if status not in (200, 202):
        raise RemoteError(f"Patroni on {member} refused: {told or 'no answer'} ({status})")
    if isinstance(told, str):
        print(told)

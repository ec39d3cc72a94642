"""MongoDB from the services' side: log-ins over TLS, each to its own database."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.item import Item


@pytest.mark.planned("mongodb")
def test_user(fleet: Fleet, item: Item) -> None:
    wanted, told = fleet.want(item), fleet.answer(item.host, "mongodb")["logins"][item.name]
    assert "error" not in told, f"{item.host}: {item.name} cannot log in: {told.get('error')}"
    roles = wanted["roles"]
    assert told["roles"] == roles, f"{item.host}: {item.name} has {told['roles']}, planned is {roles}"
    assert told["other"] != "let in", f"{item.host}: {item.name} reads another service's database"


@pytest.mark.hosts("mongodb")
def test_plain_text_is_refused(fleet: Fleet, hostname: str) -> None:
    told = fleet.answer(hostname, "mongodb")["plain text"]
    assert told.startswith("refused"), f"{hostname}: without TLS MongoDB {told}"

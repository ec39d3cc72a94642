"""On a host of PostgreSQL: a named point to restore to, from before a migration. With the standard library alone."""

from __future__ import annotations

from typing import Any

from roles.postgresql.host.psql import literal, psql
from roles.postgresql.host.state import wait


def make(context: dict[str, Any]) -> None:
    """Make the point context["point"] on the primary, wherever that is."""
    position = psql([f"select pg_create_restore_point({literal(context['point'])})"], wait(context)).strip()
    print(f"restore point {context['point']} at {position.splitlines()[-1]}")

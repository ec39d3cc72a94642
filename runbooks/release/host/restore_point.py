"""On a host of PostgreSQL: makes a restore point before a migration. Standard library only."""

from typing import Any

from roles.postgresql.host.psql import literal, psql
from roles.postgresql.host.state import wait


def make(context: dict[str, Any]) -> None:
    """Make the restore point context["point"] on the primary, wherever that is."""
    position = psql([f"select pg_create_restore_point({literal(context['point'])})"], wait(context)).strip()
    print(f"restore point {context['point']} at {position.splitlines()[-1]}")

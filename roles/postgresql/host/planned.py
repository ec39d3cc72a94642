"""What the plan and the code on hosts must know alike."""

from collections.abc import Mapping
from typing import Any

PROBE_SECONDS = 10  # for the answer of a member of Patroni's cluster
SYNCHRONOUS = ("sync_standby", "quorum_standby")  # what Patroni calls replicas that confirm the primary's writes
SERVER = {"settings": [], "altered": [], "access": [], "synchronous": True}
MEMBER = {"pending_restart": False, "in step": True, "other tags": []}
BACKUP_TITLE, BACKUP_TYPES = "PostgreSQL", ("full", "diff", "incr")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found

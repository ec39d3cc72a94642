"""Runs on a host: writes down where it stands in an update, for the run that continues it. Standard library only."""

import json
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import write_atomic


def write(context: Mapping[str, Any]) -> None:
    """Replace the record: context["record"] is its path, context["value"] its content."""
    write_atomic(context["record"], json.dumps(context["value"], sort_keys=True).encode() + b"\n")

"""Paths that must not exist."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.file import remove


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        remove(item["path"])

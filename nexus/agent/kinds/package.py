"""Packages of the distribution."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.dpkg import packages as probe

__all__ = ["probe", "step"]


def step(request: Mapping[str, Any]) -> None:
    from nexus.agent import apt  # sent only with steps

    apt.install([item["name"] for item in request["items"]], request["update"])

"""Runs on an edge host: whether it has the shared address. Changes nothing."""

import json
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import run


def edge_address(context: Mapping[str, Any]) -> dict[str, Any]:
    """{"held": whether an interface of this host has the address}."""
    interfaces = json.loads(run(["ip", "-json", "-4", "address", "show"]))
    found = {each["local"] for one in interfaces for each in one.get("addr_info", []) if "local" in each}
    return {"held": context["address"] in found}


PARTS = {"edge_address": edge_address}

"""Runs on an ops host: what it knows of the public certificate, without keys. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.file import read_json

PUBLIC = ("serial", "names", "begins", "ends", "edges")


def acme(context: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate, its authority, why it was not renewed, and what edge hosts show."""
    known = read_json(context["record"])
    found = {name: known[name] for name in PUBLIC if name in known}
    return {**found, "authority": known.get("pair", {}).get("authority", ""), "reason": known.get("error", "")}


PARTS = {"acme": acme}

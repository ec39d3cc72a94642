"""Runs on a host: what the last scan found. Changes nothing."""

from typing import Any

from nexus.agent.file import read_json


def scan(context: dict[str, Any]) -> dict[str, Any]:
    """What host/scan.py wrote; empty before the first scan."""
    return read_json(context["file"])


PARTS = {"scan": scan}

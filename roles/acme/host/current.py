"""Runs on an edge host: Nginx always has a certificate, the host's own one until a public one comes."""

import os
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import put_link
from roles.acme.host.places import INTERNAL
from roles.certificate.host.public import CERTIFICATE, CURRENT


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Whether the link leads to a certificate."""
    there = os.path.exists(CERTIFICATE)
    return {name: {"there": there} for name in names}


def apply(change: Change) -> None:
    """Let the link lead to the host's own certificate."""
    point(INTERNAL)


def point(directory: str) -> None:
    """Let the link lead to a directory next to it."""
    put_link(directory, CURRENT)

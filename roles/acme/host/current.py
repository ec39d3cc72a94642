"""Runs on an edge host: Nginx always has a certificate: the host's own until a public one is delivered."""

import os
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import put_link
from roles.acme.host.places import INTERNAL
from roles.certificate.host.public import CERTIFICATE, CURRENT


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Whether the link points to a certificate."""
    there = os.path.exists(CERTIFICATE)
    return {name: {"there": there} for name in names}


def apply(change: Change) -> None:
    """Point the link to the host's own certificate."""
    point(INTERNAL)


def point(directory: str) -> None:
    """Point the link to a directory next to it, at one moment: readers find the old files or the new ones."""
    put_link(directory, CURRENT)

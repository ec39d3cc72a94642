"""Runs on a host: the updates that wait, and their installation. Standard library only."""

import time
from collections.abc import Mapping
from typing import Any

from nexus.agent import apt
from nexus.agent.file import read_json
from nexus.agent.lib import RemoteError, run
from roles.apt.host.metrics import fetched
from roles.apt.host.pending import waiting


def look(context: Mapping[str, Any]) -> dict[str, Any]:
    """Updates, why a reboot is due, and where this host stands in an update. Fetches lists older than "fresh" seconds.

    Package lists are all that changes.
    """
    stale = ""
    if time.time() - fetched() > context["fresh"]:
        apt.wait_for_others()
        stale = apt.refresh()
    return {**waiting(), "stale": stale, "record": read_json(context["record"])}


def install(context: Mapping[str, Any]) -> None:
    """Update these packages and what they newly depend on; RemoteError if apt would remove anything."""
    names = context["names"]
    apt.wait_for_others()
    apt.finish(names)
    try:
        run(["apt-get", "install", "--only-upgrade", *apt.OPTIONS, *names], timeout=1800)
    except RemoteError:
        apt.refuse_removals(names)
        raise
    print(f"updated: {', '.join(names)}")

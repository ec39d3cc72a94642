"""The release that each front end shows on an edge host. Runs there, with the standard library alone."""

import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from roles.frontend.host.front_end import current, prune, switch

DAY = 86400


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{"pages of SLUG": {"release"}} of front ends that show one."""
    found = {name: current(place(name, context)) for name in names}
    return {name: {"release": release} for name, release in found.items() if release}


def place(name: str, context: Mapping[str, Any]) -> str:
    """The folder of a front end, from the name of its item."""
    return f"{context['directory']}/{name.removeprefix('pages of ')}"


def apply(change: Change) -> None:
    """Show the planned releases: all switches first, then old files are removed."""
    now, about = time.time(), change.context
    for name in change.changed:
        switch(place(name, about), change.items[name]["release"], now)
    for name in change.changed:
        prune(place(name, about), about["keep"], about["keep_days"] * DAY, now)


def show(context: Mapping[str, Any]) -> None:
    """Show these releases, {"releases": {slug: release}}, without removing anything: for releases and rollbacks."""
    now = time.time()
    for slug, release in context["releases"].items():
        switch(f"{context['directory']}/{slug}", release, now)

"""System groups."""

from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.lib import group_exists, run


def probe(names: Iterable[str]) -> dict[str, bool]:
    return {name: True for name in names if group_exists(name)}


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        run(["groupadd", "--system", item["name"]])


def remove(name: str) -> None:
    if group_exists(name):
        run(["groupdel", name])

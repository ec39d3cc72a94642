"""User accounts and their supplementary groups."""

from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.lib import groups_of, run


def probe(names: Iterable[str]) -> dict[str, list[str] | None]:
    return {name: groups_of(name) for name in names}


def step(request: Mapping[str, Any]) -> None:
    for user in request["items"]:
        if groups_of(user["name"]) is None:
            argv = ["useradd", "--shell", user["shell"], *(["--system"] if user["system"] else [])]
            argv += ["--home-dir", user["home"]] if user["home"] else []
            argv += ["--create-home"] if user["home"] and not user["system"] else []
            run([*argv, user["name"]])
        for group in sorted(set(user["groups"]) - set(groups_of(user["name"]) or ())):
            run(["usermod", "--append", "--groups", group, user["name"]])


def remove(name: str) -> None:
    if groups_of(name) is not None:
        run(["userdel", name])

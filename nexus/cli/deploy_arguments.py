"""Separate arguments from settings in `--data`: the deploys on the command line declare their arguments.

Arguments are removed from pyinfra's override data before it is read as settings, so they never become host data.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from nexus.environment.environment import Environment
from nexus.run.argument_kinds import Argument, flag
from nexus.run.arguments import EVERY_RUN, Declaration, declared

PRUNE = "prune_data"  # the one argument that plans see


def started(context: click.Context) -> dict[str, Declaration]:
    """Return {path: declaration} of the deploys on the command line."""
    names = [name for name in context.params["operations"] if name.endswith(".py")]
    return {name: declared(Path(name)) for name in names}


def looks(context: click.Context) -> bool:
    """Return True if every operation on the command line is a read-only deploy."""
    found = started(context)
    return bool(found) and all(name in found and found[name].read_only for name in context.params["operations"])


def offered(context: click.Context) -> dict[str, list[Argument]]:
    """Return the arguments that this run accepts, each with its kind in every deploy that declares it."""
    found = {name: [kind] for name, kind in EVERY_RUN.items()}
    for deploy in started(context).values():
        for name, kind in deploy.arguments.items():
            found.setdefault(name, []).append(kind)
    return found


def words(context: click.Context) -> dict[str, str]:
    """Return {name: text} of `--data`, as the operator typed it."""
    return dict(word.split("=", 1) for word in context.params["data"])


def taken(context: click.Context, overrides: dict[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """Return {argument: text} and remove these arguments from pyinfra's `overrides`.

    `known` holds the arguments that this run accepts. The text is as the operator typed it: `to=2.10` names a release,
    but pyinfra has parsed it as the number 2.1.
    """
    found = {name: text for name, text in words(context).items() if name in known}
    for name in found:
        overrides.pop(name, None)
    return found


def prunes(given: Mapping[str, str]) -> bool:
    """Return True if this run drops data that is no longer declared."""
    return flag(PRUNE, given.get(PRUNE, ""))


def check(given: Mapping[str, str], known: Mapping[str, list[Argument]], env: Environment) -> None:
    """Validate every value against its kinds; OperatorError if one is not valid."""
    for name, text in given.items():
        for kind in known[name]:
            kind.read(name, text, lambda: env)

"""Deploys that change nothing: they need no lock and no consent, and a host that does not answer stops none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from pyinfra.context import config

LOOKING = ("status.py", "drift.py", "history.py", "unlock.py")
CONNECT_SECONDS = 5


def looks(context: click.Context) -> bool:
    """Whether such deploys, and no others, are run."""
    return all(Path(name).name in LOOKING for name in context.params["operations"])


def prepare(cli: Any) -> None:
    """Go on with the hosts that answer, and do not call questions changes that somebody has to agree to."""
    config.FAIL_PERCENT, config.CONNECT_TIMEOUT = 100, CONNECT_SECONDS
    handle = cli._handle_commands

    def without_changes(*arguments: Any, **rest: Any) -> Any:
        return False, *handle(*arguments, **rest)[1:]

    cli._handle_commands = without_changes

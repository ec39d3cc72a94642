"""Runbooks that only read: something is printed, and the exit status says whether a target is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from roles.kit.run import Run
from roles.runbook.act import speaks


@dataclass(frozen=True)
class Report:
    """What is printed on standard output, and each target that is missed with what to do about it."""

    text: str
    missed: tuple[str, ...] = ()


def report(title: str, read: Callable[[Run], Report]) -> None:
    """Print what `read(run)` tells; the run ends with a status other than 0 when a target is missed."""
    if speaks(host.name):
        Run.current.reading.add(_report(read, name=title)._hash)


@operation()
def _report(read: Callable[[Run], Report]) -> Iterator[PyinfraCommand]:
    if Run.current.executing():
        yield _Print(read(Run.current))
    else:
        yield _Print(Report(""))


class _Print(PyinfraCommand):
    """The report as a command, so that it can fail."""

    def __init__(self, found: Report) -> None:
        super().__init__()
        self.found = found

    def __repr__(self) -> str:
        return "Report"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when no target is missed."""
        Run.current.missed = len(self.found.missed)
        click.echo(self.found.text)
        for line in self.found.missed:
            click.secho(f"missed: {line}", fg="red", err=True)
        return not self.found.missed

"""The question before a run without -y changes anything.

pyinfra's own question says that its list of changes may not be complete; the list of a run here is.
"""

import click
from pyinfra.context import state

from nexus.cli import locked_run
from nexus.run.run import Run


def ask(run: Run) -> None:
    """Ask the operator on the terminal; SystemExit unless the answer is enter. No question if nothing would change."""
    if run.dry or click.get_current_context().params["yes"] or not locked_run.changes(run, state):
        return
    count = run.outcome.proposed
    named = f"{count} change{'s' * (count != 1)} to make on {run.environment.name}" if count else "Ready"
    click.echo(f"\n    {named}. Press enter to execute, Ctrl-C to stop ", nl=False, err=True)
    if input():
        click.echo("Nothing was changed on any host.", err=True)
        raise SystemExit(0)

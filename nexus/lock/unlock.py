"""Show the lock and, if asked to, take it away from its holder."""

from functools import partial

import click

from nexus.lock.lease import asked
from nexus.run.run import Run, current_run


def unlock(take: bool = False) -> None:
    """Show the lock, or take it away, instead of running."""
    current_run().report = partial(show, take=take)


def show(run: Run, take: bool = False) -> int:
    """Show who holds the lock; `take` frees it. Exit status 1 if it stays held."""
    env = run.environment
    found = asked(env, run.all_roles, "look")
    if not (held := found["holder"]):
        click.echo(f"{env.name}: nobody holds the lock; {found['number']} runs have held it")
        return 0
    who = f"{held['who']}, process {held['process']}, since {held['since']}: {held['purpose']}"
    click.echo(f"{env.name}: the lock is held by {who}")
    if not take:
        click.secho(
            "A dead run's lock expires within a minute, on its own machine at once. Take the lock away only from a run "
            "that hangs: its step under way continues to its end, and hosts may be left half done until the next run. "
            "To take it away: --data yes=true",
            fg="yellow",
        )
        return 1
    asked(env, run.all_roles, "force_release")
    click.secho(
        f"{env.name}: taken away; that run can no longer change anything. Converge now: its changes are half done",
        fg="yellow",
    )
    return 0

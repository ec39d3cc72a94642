"""A plan for review: written by `--dry --data plan=FILE`, carried out by `-y --data apply=FILE`.

The run is refused if any item of any host, or its planned state, has changed since the plan was written.
"""

from pathlib import Path

import click

from nexus.error import OperatorError
from nexus.run import plan_document
from nexus.run.run import Run
from nexus.workstation import checkout, purpose

SHOWN = 30  # lines of what moved: a longer list tells an operator nothing new


def check_words(run: Run) -> None:
    """Refuse contradictory arguments before the run connects to any host."""
    plan, apply, dry = run.given.get("plan"), run.given.get("apply"), run.dry
    if plan and not dry:
        raise OperatorError(f"plan={plan} writes what a run would do to a file: add --dry")
    if apply and dry:
        raise OperatorError("apply= carries out a plan: drop --dry, or read the file itself")
    if apply:
        reviewed = plan_document.read(Path(apply))
        if reviewed["environment"] != run.environment.name:
            raise OperatorError(
                f"apply={apply} is a plan for {reviewed['environment']}, and this is {run.environment.name}"
            )


def check(run: Run) -> None:
    """Raise OperatorError if anything has moved since the plan was made."""
    path = run.given.get("apply")
    if not path:
        return
    reviewed = plan_document.read(Path(path))
    if lines := plan_document.moved(reviewed, plan_document.items(run, run.planned)):
        more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise OperatorError(
            f"{path} was made {reviewed['made']} for `{reviewed['command']}`, and this has moved since:\n  "
            + "\n  ".join([*lines[:SHOWN], *more])
            + f"\nMake a new plan and review it: --dry --data plan={path}"
        )


def write(run: Run) -> int:
    """Write the plan instead of carrying it out. Return the exit status."""
    if not run.planned:
        raise OperatorError("plan= is for deploys that converge roles, and this one has none: use --dry alone")
    path = Path(run.given["plan"])
    run.environment.secrets.save()  # a plan with unsaved secrets could never be carried out
    made = plan_document.build(run, purpose(click.get_current_context().params), checkout())
    plan_document.write(path, made)
    changes, hosts = run.outcome.proposed, len(made["hosts"])
    kind = "change" if changes == 1 else "changes"
    click.echo(f"{path}: {changes} {kind} to make on {hosts} hosts, hash {made['hash'][:12]}", err=True)
    return 0

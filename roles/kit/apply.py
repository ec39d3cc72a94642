"""A plan that was reviewed: written by `--dry --data plan=FILE`, carried out by `-y --data apply=FILE`.

Nothing is carried out where any item of any host, or what should become of it, is not as it was reviewed.
"""

from __future__ import annotations

from pathlib import Path

import click

from roles.kit import document
from roles.kit.error import OperatorError
from roles.kit.run import Run

SHOWN = 30  # lines of what moved; who moves a whole environment knows


def check_words(run: Run) -> None:
    """Refuse words that do not go together, before any host is connected to."""
    setting, given = run.environment.setting, click.get_current_context().params
    if setting.plan and not given["dry"]:
        raise OperatorError(f"plan={setting.plan} writes down what a run would do: add --dry")
    if setting.apply and given["dry"]:
        raise OperatorError("apply= carries a plan out: leave --dry away, or look into the file itself")
    if setting.apply:
        reviewed = document.read(Path(str(setting.apply)))
        if reviewed["environment"] != run.environment.name:
            raise OperatorError(
                f"apply={setting.apply} is a plan for {reviewed['environment']}, and this is {run.environment.name}"
            )


def check(run: Run) -> None:
    """Refuse to go on where anything has moved since the plan was made; OperatorError says what."""
    path = str(run.environment.setting.apply)
    if not path:
        return
    reviewed = document.read(Path(path))
    if lines := document.moved(reviewed, document.items(run, run.planned)):
        more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise OperatorError(
            f"{path} was made {reviewed['made']} for `{reviewed['command']}`, and this has moved since:\n  "
            + "\n  ".join([*lines[:SHOWN], *more])
            + f"\nMake a new plan and review it: --dry --data plan={path}"
        )


def write(run: Run) -> int:
    """Write the plan instead of carrying it out; exit status."""
    from roles.lock.lease import purpose
    from roles.record.writer import checkout

    if not run.planned:
        raise OperatorError("plan= writes down what roles converge, and this deploy has none: its --dry tells all")
    path = Path(str(run.environment.setting.plan))
    run.environment.secrets.save()  # a plan with secrets that nobody keeps could never be carried out
    made = document.build(run, purpose(click.get_current_context().params), checkout())
    document.write(path, made)
    changes = sum(a != b for roles in made["hosts"].values() for of in roles.values() for a, b in of.values())
    hosts = len(made["hosts"])
    click.echo(f"{path}: {changes} items of {hosts} hosts would change, hash {made['hash'][:12]}", err=True)
    return 0

"""Rollback: all services at once, to recorded releases with their configuration, without waiting for gates.

No registry is needed: nodes keep the images. Credentials are not part of a release and stay as they are now.
"""

from collections.abc import Sequence
from dataclasses import replace

from pyinfra import logger

from nexus.error import OperatorError
from nexus.run.runbook import Act
from roles.service.released import Released, key
from runbooks.release.engine import Engine
from runbooks.release.plan import Step, rollback_order
from runbooks.release.record import record_of, rolled_back, target


def plan(engine: Engine, services: Sequence[str], to: str = "") -> Sequence[Act]:
    """One act for all services, which go in parallel. OperatorError for an unknown release."""
    steps = steps_of(engine, rollback_order(engine.env, services), to)
    if not steps:
        return []
    check_configurations(engine, steps)
    what = ", ".join(map(str, steps))
    return [Act(f"Roll back {what}", lambda: go(engine, steps))]


def steps_of(engine: Engine, names: Sequence[str], wanted: str = "") -> list[Step]:
    """The steps of these services; those that have no earlier release are told and left out."""
    running, previous = engine.running(names), engine.previous(names)
    steps = []
    for name in names:
        now = running[name].released()
        to = target(name, record_of(engine.env, name), now, previous[name], wanted)
        if to:
            steps.append(Step(name, now, replace(to, pinned=bool(to.config))))
        else:
            logger.warning(f"    {name}: it has no earlier release than the one that runs")
    return steps


def check_configurations(engine: Engine, steps: Sequence[Step]) -> None:
    """OperatorError if a configuration to return to is gone."""
    stored = engine.configurations()
    gone = [step for step in steps if step.after.config and step.after.config not in stored]
    if gone:
        raise OperatorError(
            f"the configuration of {', '.join(f'{step.name} {step.after.release}' for step in gone)} is no longer in "
            f"{engine.where}: release that number with deploys/release.py, with the configuration of this checkout"
        )


def go(engine: Engine, steps: Sequence[Step]) -> None:
    """Record where services go, so that the next run finishes one that dies; then bring them there."""
    env = engine.env
    records = {}
    for step in steps:
        record = record_of(env, step.name) or {"current": step.before.value()}
        records[key(step.name)] = rolled_back(record, step.after, int(env.setting.release_keep))
    engine.keep(records)
    targets: dict[str, Released] = {step.name: step.after for step in steps}
    good = engine.bring(f"roll back {len(steps)} services", targets, in_order=True)
    engine.settle()
    if not good:
        raise OperatorError("not every service got healthy after the rollback (see the error above)")
    for step in steps:
        engine.changed(step)
    if bad := engine.failures(list(targets)):
        raise OperatorError(
            "services run at the earlier release, but do not do their work:\n"
            + "\n".join(f"{name}: {why}" for name, why in bad.items())
        )

"""Rollback: all services at once, to recorded releases with their configuration, without waiting for gates.

No registry is needed: nodes keep the images. Credentials are not part of a release and stay as they are now.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from pyinfra import logger

from nexus.error import OperatorError
from nexus.run.runbook import Act
from roles.service.released import Released, key
from runbooks.release.engine import Engine, History
from runbooks.release.plan import Step, rollback_order
from runbooks.release.record import record_of, rolled_back, target


def plan(engine: Engine, services: Sequence[str], to: str = "") -> Sequence[Act]:
    """One act for all services, which go in parallel. OperatorError for an unknown release."""
    names = rollback_order(engine.env, services)
    found = engine.history(names)
    steps = steps_of(engine, names, found, to)
    if not steps:
        return []
    check_configurations(engine, steps, found.configurations)
    what = ", ".join(map(str, steps))
    return [Act(f"Roll back {what}", lambda: go(engine, steps))]


def steps_of(engine: Engine, names: Sequence[str], found: History, wanted: str = "") -> list[Step]:
    """The steps of these services; those that have no earlier release are told and left out."""
    steps = []
    for name in names:
        now = found.running[name].released()
        to = target(name, record_of(engine.env, name), now, found.previous[name], wanted)
        if to:
            steps.append(Step(name, now, replace(to, pinned=bool(to.config))))
        else:
            logger.warning(f"    {name}: it has no earlier release than the one that runs")
    return steps


def check_configurations(engine: Engine, steps: Sequence[Step], stored: Collection[str]) -> None:
    """OperatorError if a configuration to return to is gone."""
    gone = [step for step in steps if step.after.config and step.after.config not in stored]
    if gone:
        names = ", ".join(f"{step.name} {step.after.release}" for step in gone)
        raise OperatorError(
            f"{engine.where} no longer has the configuration of {names}: start deploys/release.py with that release, "
            "which takes the configuration of this checkout"
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

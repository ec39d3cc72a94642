"""Rollback: all services at once, to recorded releases with their configuration, without waiting for gates.

No registry is needed: nodes keep the images. Credentials are not part of a release and stay as they are now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyinfra import logger

from nexus.error import OperatorError
from nexus.plan.desired import Change
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.functional import failures
from roles.service.released import Released, key
from runbooks.release.context import Situation
from runbooks.release.plan import Step, rollback_order, work
from runbooks.release.record import Running, record_of, rolled_back, target


def plan(run: Run, services: Sequence[str], to: str = "") -> Sequence[Act]:
    """One act for all services, which go in parallel. OperatorError for an unknown release."""
    situation = Situation(run)
    names = rollback_order(situation.env, services)
    found = situation.services(names)
    steps = []
    for name in names:
        step = step_of(situation, name, found.get(name), to)
        if step:
            steps.append(step)
        else:
            logger.warning(f"    {name}: it has no earlier release than the one that runs")
    if not steps:
        return []
    check_configurations(steps, found[""]["stored"])
    what = ", ".join(map(str, steps))
    return [Act(f"Roll back {what}", lambda: go(situation, steps, found))]


def step_of(situation: Situation, name: str, found: Mapping[str, Any] | None, wanted: str) -> Step | None:
    """The step of one service; None if it has no earlier release."""
    if found is None:
        raise OperatorError(f"{name} is not in the swarm: deploys/full.py deploys it")
    running = Running(found["image"], found["config"]).released()
    before = found["previous"]
    previous = Running(before["image"], before["config"]).released() if before else None
    to = target(name, record_of(situation.env, name), running, previous, wanted)
    return Step(name, running, replace(to, pinned=bool(to.config))) if to else None


def check_configurations(steps: Sequence[Step], stored: Sequence[str]) -> None:
    """OperatorError if a configuration to return to is gone."""
    gone = [step for step in steps if step.after.config and step.after.config not in stored]
    if gone:
        raise OperatorError(
            f"the configuration of {', '.join(f'{step.name} {step.after.release}' for step in gone)} is no longer in "
            "the swarm: release that number with deploys/release.py, with the configuration of this checkout"
        )


def go(situation: Situation, steps: Sequence[Step], found: Mapping[str, Any]) -> None:
    """Record where services go, so that the next run finishes one that dies; then bring them there."""
    env, setting = situation.env, situation.env.setting
    records = {}
    for step in steps:
        record = record_of(env, step.name) or {"current": step.before.value()}
        records[key(step.name)] = rolled_back(record, step.after, int(setting.release_keep))
    situation.keep(records)
    targets: dict[str, Released] = {step.name: step.after for step in steps}
    plan = work(situation.env, targets)
    listed = [name for name in env.catalogue.operations.rollback.order if name in targets]
    rest = [name for name in targets if name not in listed]
    plan["batches"] = [[name] for name in listed] + ([rest] if rest else [])
    good = situation.deploy(f"roll back {len(steps)} services", plan)
    situation.write_stack()
    if not good:
        raise OperatorError("not every service got healthy after the rollback (see the error above)")
    for step in steps:
        situation.run.outcome.changes[situation.leader].append(
            Change(f"release of {step.name}", f"{step.before.release} -> {step.after.release}")
        )
    if bad := failures(situation.run, list(targets)):
        raise OperatorError(
            "services run at the earlier release, but do not do their work:\n"
            + "\n".join(f"{name}: {why}" for name, why in bad.items())
        )

"""A release as it is carried out, wave after wave: roll, watch, judge, then record or go back.

The old release stays the planned one until the new one has passed its gates. A run that dies in the middle leaves the
new release unrecorded, and the next run of any deploy brings the old one back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyinfra import logger

from nexus.error import OperatorError
from nexus.plan.desired import Change
from nexus.run.runbook import carry_out
from nexus.run.side_by_side import reached, side_by_side
from roles.functional import failures
from roles.health.plan import REMOTE as HEALTH
from roles.service.released import Released, key
from roles.service.stack import image
from runbooks.release.canary import Canary, shares
from runbooks.release.context import PULL, Situation
from runbooks.release.gate import ROLLED_BACK, Limits
from runbooks.release.migration import due, migrate
from runbooks.release.plan import Step, at, config_name, work
from runbooks.release.record import begun, committed, record_of
from runbooks.release.watch import Watch

LOGS = HEALTH.with_name("logs.py")


class Session:
    """One run of deploys/release.py."""

    def __init__(self, situation: Situation, release: str, canary: int = 0) -> None:
        self.situation, self.release = situation, release
        self.setting = situation.env.setting
        self.limits = Limits.of(situation.env.catalogue, int(self.setting.release_gate_requests))
        self.canaries = shares(situation.env, canary)
        self.done: list[Step] = []

    def steps(self, names: Sequence[str], digests: Mapping[str, Any] | None = None) -> list[Step]:
        """One step for each service, from its present release to the new one; `digests` as the registry has them."""
        env = self.situation.env
        digests = digests or self.situation.digests(names, self.release)
        running = self.situation.running(names)
        found = []
        for name in names:
            before = Released.of(begun(record_of(env, name), running[name].released())["current"])
            after = Released(self.release, digests[name]["digest"])
            found.append(Step(name, before, after))
        return found

    def needed(self, step: Step) -> bool:
        """Whether there is anything to do: another image or number, another configuration, or no record of it."""
        config = config_name(self.situation.env, step.name, step.after)
        recorded = record_of(self.situation.env, step.name).get("current", {})
        now = (step.before.release, step.before.digest, step.before.config, recorded.get("pinned", True))
        return now != (step.after.release, step.after.digest, config, False)

    def fetch(self, names: Sequence[str]) -> None:
        """Pull the images of both releases on every host that may run them: a rollback then needs no registry."""
        run, env = self.situation.run, self.situation.env
        steps = self.steps(names)
        wanted = [image(at(env, {step.name: to}), step.name) for step in steps for to in (step.before, step.after)]
        context = {"images": list(dict.fromkeys(wanted))}
        side_by_side(lambda host: carry_out(run, host, "pull the images", PULL, "pull", context), reached(run, "app"))

    def wave(self, names: Sequence[str]) -> None:
        """Release services that do not depend on each other; OperatorError if one of them did not get through."""
        steps = self.steps(names)
        running = self.situation.running(names)
        records = {name: record_of(self.situation.env, name) for name in names}
        self.situation.keep({key(name): begun(records[name], running[name].released()) for name in names})
        why = f"release {self.release} of {', '.join(names)}"
        try:
            with self.situation.silenced(names, why):
                points = {step.name: migrate(self.situation, step) for step in steps if due(self.situation.env, step)}
                bad = self._roll(steps)
        except OperatorError as error:
            self._remove_canaries(steps)
            raise OperatorError(
                f"{error}\n{', '.join(names)}: not recorded as released, so the next run of deploys/full.py brings the "
                "old release back where it is gone; the same deploys/release.py continues the release"
            ) from None
        if bad:  # canaries first: they run the same release
            self._remove_canaries(steps)
        self._finish([step for step in steps if step.name not in bad], points)
        if bad:
            self._give_up([step for step in steps if step.name in bad], bad)
        self._remove_canaries(steps)

    def _roll(self, steps: Sequence[Step]) -> dict[str, str]:
        """Replace the old release with the new one; return the services that must go back, with the reason."""
        watch = Watch(self.situation, [step.name for step in steps], self.limits)
        plan = work(self.situation.env, {step.name: step.after for step in steps})
        self.situation.deploy(f"release {', '.join(map(str, steps))}", plan)
        bad = watch.bad(plan)
        return bad | failures(self.situation.run, [step.name for step in steps if step.name not in bad])

    def share(self, names: Sequence[str], percent: int) -> None:
        """Give the new release of these services a share of the traffic, and watch it."""
        canary = self.situation.env.catalogue.operations.rollout.canary
        seconds = self.setting.release_canary_seconds
        self._canary(self.steps(names)).share(percent, 60.0 * canary.every_minutes if seconds is None else seconds)

    def _remove_canaries(self, steps: Sequence[Step]) -> None:
        if self.canaries:
            self._canary(steps).remove()

    def _canary(self, steps: Sequence[Step]) -> Canary:
        return Canary(self.situation, steps, self.limits)

    def _finish(self, steps: Sequence[Step], points: Mapping[str, str]) -> None:
        """Record that these services are at their new release."""
        if not steps:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        env, keep = self.situation.env, int(self.setting.release_keep)
        records = {}
        for step in steps:
            after = Released(
                step.after.release,
                step.after.digest,
                config_name(env, step.name, step.after),
                at=now,
                restore_point=points.get(step.name, ""),
            )
            records[key(step.name)] = committed(record_of(env, step.name), after, keep)
            self.situation.run.outcome.changes[self.situation.leader].append(
                Change(f"release of {step.name}", f"{step.before.release} -> {step.after.release}")
            )
        self.situation.keep(records)
        self.situation.write_stack()
        self.done += steps

    def _give_up(self, steps: Sequence[Step], bad: Mapping[str, str]) -> None:
        """Bring the old releases back and report the reasons; always raises OperatorError."""
        for step in steps:
            logger.error(f"    {step.name} {step.after.release}: {bad[step.name]}")
            if bad[step.name] != ROLLED_BACK:  # else the failed task's log lines were shown already
                self._tell_logs(step.name)
        back = list(steps)
        if self.setting.release_on_failure == "back":
            back += reversed(self.done)
        targets = {step.name: step.before for step in back}
        kept = {key(step.name): self._as_before(step) for step in back if step in self.done}
        if kept:
            self.situation.keep(kept)
        good = self.situation.deploy(f"go back to {', '.join(targets)}", work(self.situation.env, targets))
        self.situation.write_stack()
        lines = [f"{name} did not get through: {why}" for name, why in bad.items()]
        lines.append(
            f"{', '.join(f'{name} {to.release}' for name, to in targets.items())} "
            + ("runs again" if good else "COULD NOT BE BROUGHT BACK (see the error above): act now")
        )
        if self.done:
            also = "went back, too" if kept else "stay at their new release (release_on_failure is stop)"
            lines.append(f"{', '.join(step.name for step in self.done)} {also}")
        raise OperatorError("\n".join(lines))

    def _as_before(self, step: Step) -> dict[str, Any]:
        """The record of a service that got through and goes back with the others."""
        record = record_of(self.situation.env, step.name)
        older = [value for value in record["history"] if value["release"] != step.before.release]
        return {**record, "current": step.before.value(), "history": older}

    def _tell_logs(self, name: str) -> None:
        lines = max(12, int(self.setting.health_log_lines))
        try:
            found = self.situation.run.hosts.ask_source(self.situation.leader, LOGS, [name], {"lines": lines})
        except OperatorError as error:
            found = {name: {"lines": [str(error)]}}
        for line in found[name]["lines"][-lines:]:
            logger.error(f"      | {line}")

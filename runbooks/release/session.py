"""A release as it is carried out, wave after wave: roll, watch, judge, then record or go back.

The old release stays the planned one until the new one has passed its gates. A run that dies in the middle leaves the
new release unrecorded, and the next run that converges everything brings the old one back.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyinfra import logger

from nexus.error import OperatorError
from nexus.run.runbook import Act
from roles.service.released import Released, key
from runbooks.release.engine import Engine
from runbooks.release.gate import ROLLED_BACK
from runbooks.release.migration import due
from runbooks.release.plan import Step
from runbooks.release.record import Running, begun, committed, record_of


class Session(ABC):
    """One run of deploys/release.py."""

    def __init__(self, engine: Engine, release: str) -> None:
        self.engine, self.release = engine, release
        self.setting = engine.env.setting
        self.done: list[Step] = []

    @abstractmethod
    def roll(self, steps: Sequence[Step]) -> dict[str, str]:
        """Replace the old release with the new one; return the services that must go back, with the reason."""

    @abstractmethod
    def migrate(self, step: Step) -> str:
        """Run the migration of a service in the new image; the name of the restore point made before it, or nothing."""

    @abstractmethod
    def tell_logs(self, step: Step) -> None:
        """Show the last log lines of a service whose new release failed."""

    def prepared(self, names: Sequence[str]) -> list[Act]:
        """Acts before the first wave."""
        return []

    def shared(self, names: Sequence[str], what: str) -> list[Act]:
        """Acts before a wave that give the new release a share of the traffic."""
        return []

    @abstractmethod
    def remove_canaries(self, steps: Sequence[Step]) -> None:
        """Send all traffic to the services themselves."""

    def steps(
        self,
        names: Sequence[str],
        digests: Mapping[str, Any] | None = None,
        running: Mapping[str, Running] | None = None,
    ) -> list[Step]:
        """One step for each service, from its present release to the new one.

        `digests` as the registry has them, and services as they run, where this is known.
        """
        env = self.engine.env
        digests = digests or self.engine.digests(names, self.release)
        running = running or self.engine.running(names)
        found = []
        for name in names:
            before = Released.of(begun(record_of(env, name), running[name].released())["current"])
            after = Released(self.release, digests[name]["digest"])
            found.append(Step(name, before, after))
        return found

    def needed(self, step: Step) -> bool:
        """Whether there is anything to do: another image or number, another configuration, or no record of it."""
        config = self.engine.config_name(step.name, step.after)
        recorded = record_of(self.engine.env, step.name).get("current", {})
        now = (step.before.release, step.before.digest, step.before.config, recorded.get("pinned", True))
        return now != (step.after.release, step.after.digest, config, False)

    def wave(self, names: Sequence[str]) -> None:
        """Release services that do not depend on each other; OperatorError if one of them did not get through."""
        running = self.engine.running(names)
        steps = self.steps(names, running=running)
        records = {name: record_of(self.engine.env, name) for name in names}
        self.engine.keep({key(name): begun(records[name], running[name].released()) for name in names})
        why = f"release {self.release} of {', '.join(names)}"
        try:
            with self.engine.silenced(names, why):
                points = {step.name: self._migrated(step) for step in steps if due(self.engine.env, step)}
                bad = self.roll(steps)
        except OperatorError as error:
            self.remove_canaries(steps)
            raise OperatorError(
                f"{error}\n{', '.join(names)}: not recorded as released, so the next run of {self.engine.converge} "
                "brings the old release back where it is gone; the same deploys/release.py continues the release"
            ) from None
        if bad:  # canaries first: they run the same release
            self.remove_canaries(steps)
        self._finish([step for step in steps if step.name not in bad], points)
        if bad:
            self._give_up([step for step in steps if step.name in bad], bad)
        self.remove_canaries(steps)

    def _migrated(self, step: Step) -> str:
        point = self.migrate(step)
        record = {**record_of(self.engine.env, step.name), "migrated": step.after.digest, "restore_point": point}
        self.engine.keep({key(step.name): record})
        return point

    def _finish(self, steps: Sequence[Step], points: Mapping[str, str]) -> None:
        """Record that these services are at their new release."""
        if not steps:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        env, keep = self.engine.env, int(self.setting.release_keep)
        records = {}
        for step in steps:
            after = Released(
                step.after.release,
                step.after.digest,
                self.engine.config_name(step.name, step.after),
                at=now,
                restore_point=points.get(step.name, ""),
            )
            records[key(step.name)] = committed(record_of(env, step.name), after, keep)
            self.engine.changed(step)
        self.engine.keep(records)
        self.engine.settle()
        self.done += steps

    def _give_up(self, steps: Sequence[Step], bad: Mapping[str, str]) -> None:
        """Bring the old releases back and report the reasons; always raises OperatorError."""
        for step in steps:
            logger.error(f"    {step.name} {step.after.release}: {bad[step.name]}")
            if bad[step.name] != ROLLED_BACK:  # else the failed task's log lines were shown already
                self.tell_logs(step)
        back = list(steps)
        if self.setting.release_on_failure == "back":
            back += reversed(self.done)
        targets = {step.name: step.before for step in back}
        kept = {key(step.name): self._as_before(step) for step in back if step in self.done}
        if kept:
            self.engine.keep(kept)
        good = self.engine.bring(f"go back to {', '.join(targets)}", targets)
        self.engine.settle()
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
        record = record_of(self.engine.env, step.name)
        older = [value for value in record["history"] if value["release"] != step.before.release]
        return {**record, "current": step.before.value(), "history": older}

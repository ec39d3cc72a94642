"""The planned state of a systemd unit, and how a unit on a host differs from it. Pure functions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Answer, Mark, Pair, Seen
from nexus.plan.item import Item

ON = ("enabled", "enabled-runtime", "static", "indirect", "generated")
RUNS = ("active", "reloading", "activating")


@dataclass(frozen=True)
class SystemdUnit(Item):
    """A systemd unit that is enabled and runs with the configuration on disk.

    `restart_on` are the files that the unit reads when it starts, `reload_on` those that it reads
    again when it is reloaded. Their content is stamped when the unit starts and when a reload has
    succeeded, so the next run finishes a run that died between a write and a restart.

    `reload_check` is a shell command run before a reload or restart (a syntax check such as
    `nginx -t`), `restart_check` one before a restart only (whether the other hosts can do without it): if
    it fails, the unit keeps running as it is and the run fails with the command's output.
    `ready_check` is a shell command that succeeds once the unit works; after a start it is
    repeated for up to a minute, since systemd calls some units active before they answer.
    """

    name: str
    restart_on: tuple[str, ...] = ()
    reload_on: tuple[str, ...] = ()
    reload_check: str | None = None
    restart_check: str | None = None
    ready_check: str | None = None
    enabled: bool = True
    running: bool = True
    masked: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """All files whose content tells whether the unit runs with the configuration on disk."""
        return (*self.restart_on, *self.reload_on)

    def present(self, answer: Answer) -> Any:
        return super().present(answer) or {}

    def is_masked(self, answer: Answer) -> bool:
        """Whether somebody masked a unit that should run or be enabled, until the next boot or permanently."""
        wanted = (self.enabled or self.running) and not self.masked
        return wanted and str(self.present(answer).get("UnitFileState", "")).startswith("masked")

    def differences(self, seen: Seen) -> list[str]:
        """How the unit differs from the plan, in words; empty if it does not."""
        actual = self.present(seen.answer)
        state, active = actual.get("UnitFileState", ""), actual.get("ActiveState", "inactive")
        if self.masked:
            return [] if state == "masked" else ["should be masked"]
        if self.is_masked(seen.answer):
            return ["is masked"]
        how = []
        if self.enabled and state in ("disabled", "", "bad"):
            how.append("is not enabled")
        if not self.enabled and state == "enabled":
            how.append("should not be enabled")
        if not self.running:
            return [*how, "should not run"] if active == "active" else how
        if active not in RUNS:
            return [*how, f"is {active}, should run"]
        if actual.get("crashing"):
            return [*how, f"does not stay up (restarted {actual['restarts']} times), should run"]
        if self.name.endswith(".timer") and actual.get("SubState") == "elapsed":
            how.append("no longer ticks")
        if actual.get("NeedDaemonReload") == "yes":
            how.append("runs with an older unit file")
        for verb, paths in (("restart", self.restart_on), ("reload", self.reload_on)):
            stamp = actual.get("stamp") or {}
            if older := [path for path in paths if stamp.get(path) != expected(path, seen)]:
                how.append(f"{verb}: runs with an older {', '.join(older)}")
        return how

    def described(self, seen: Seen, mark: Mark) -> Iterator[tuple[str, Pair]]:
        actual = self.present(seen.answer)
        state, active = actual.get("UnitFileState", ""), actual.get("ActiveState", "inactive")
        if self.masked:
            yield self.title, ("masked" if state == "masked" else "not masked", "masked")
            return
        before = [state if state.startswith("masked") or not state else "enabled" if state in ON else "disabled"]
        before.append("crashing" if actual.get("crashing") else "running" if active in RUNS else active)
        after = ["enabled" if self.enabled else "disabled", "running" if self.running else "inactive"]
        if not self.running and active not in RUNS:
            before[1] = "inactive"
        if actual.get("NeedDaemonReload") == "yes":
            before.append("with an older unit file")
        if self.running and self.reads:
            stamp = actual.get("stamp") or {}
            if active in RUNS:
                before.append(f"with {mark(json.dumps([stamp.get(path) for path in self.reads]))}")
            after.append(f"with {mark(json.dumps([expected(path, seen) for path in self.reads]))}")
        yield self.title, (", ".join(filter(None, before)), ", ".join(after))


def expected(path: str, seen: Seen) -> str | None:
    """The digest that a file will have once all roles of its host are applied."""
    if path in seen.planned:
        return seen.planned[path]
    actual = seen.answer["paths"].get(path)
    return actual[4] if actual and actual[0] == "file" else None

"""A release as it is carried out, wave after wave: roll, watch, judge, then record, or go back.

What is planned for a service is the old release until the new one has passed its gates: a run that dies in
the middle leaves a new release unrecorded, and the next run of anything lays the old one down again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import gevent
from pyinfra import logger

from roles.health.plan import REMOTE as HEALTH
from roles.health.plan import probes
from roles.kit.error import OperatorError
from roles.kit.model import Change
from roles.release.canary import Canary, shares
from roles.release.gate import Limits, Traffic, objection, task_objection
from roles.release.migration import due, migrate
from roles.release.plan import Step, at, config_name, work
from roles.release.record import begun, committed, record_of
from roles.release.situation import PULL, Situation, side_by_side
from roles.runbook import carry_out
from roles.service.released import Released, key
from roles.service.scale import size
from roles.service.stack import image

POLL_SECONDS = 2
SAMPLE_SECONDS = 4  # of traffic, before it is looked at for the first time
LOGS = HEALTH.with_name("logs.py")


class Session:
    """One run of deploys/release.py."""

    def __init__(self, situation: Situation, release: str) -> None:
        self.situation, self.release = situation, release
        setting, operations = situation.env.setting, situation.env.catalogue.operations
        self.setting = setting
        self.limits = Limits.of(situation.env.catalogue, int(setting.release_gate_requests))
        seconds = setting.release_min_ready_seconds
        self.min_ready = float(operations.rollout.min_ready_seconds if seconds is None else seconds)
        self.unready_seconds = float(operations.rollback.automatic.readiness_failing_seconds)
        self.canaries = shares(situation.env)
        self.done: list[Step] = []

    def steps(self, names: Sequence[str], digests: Mapping[str, Any] | None = None) -> list[Step]:
        """From what each service is at to what it should be at; `digests` as the registry told them."""
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
        """Whether anything is to be done: another image or number, other configuration, or no record of it."""
        config = config_name(self.situation.env, step.name, step.after)
        recorded = record_of(self.situation.env, step.name).get("current", {})
        now = (step.before.release, step.before.digest, step.before.config, recorded.get("pinned", True))
        return now != (step.after.release, step.after.digest, config, False)

    def fetch(self, names: Sequence[str]) -> None:
        """Have the images of both releases on every host that may run them: a rollback needs no registry then."""
        run, env = self.situation.run, self.situation.env
        steps = self.steps(names)
        wanted = [
            image(at(env, {step.name: to}), step.name) for step in steps for to in (step.before, step.after)
        ]
        hosts = [host.name for host in env.group("app") if run.reaches(host.name)]
        context = {"images": list(dict.fromkeys(wanted))}
        side_by_side(
            [partial(carry_out, run, host, "pull the images", PULL, context) for host in hosts]
        )

    def wave(self, names: Sequence[str]) -> None:
        """Release services that do not need each other; OperatorError when one of them did not get through."""
        steps = self.steps(names)
        running = self.situation.running(names)
        records = {name: record_of(self.situation.env, name) for name in names}
        self.situation.keep({key(name): begun(records[name], running[name].released()) for name in names})
        points = {step.name: migrate(self.situation, step) for step in steps if due(self.situation.env, step)}
        env = self.situation.env
        minutes = int(self.setting.release_baseline_minutes)
        before = self.situation.traffic(names, 60 * minutes)
        plan = work(env, {step.name: step.after for step in steps})
        failures = {name: self._failures(name) for name in names}
        self.situation.bring(f"release {', '.join(map(str, steps))}", plan)
        bad = self._watch(steps, plan, before, failures)
        if bad and self.canaries:
            self._canary(steps).remove()
        self._finish([step for step in steps if step.name not in bad], points)
        if not bad and self.canaries:
            self._canary(steps).remove()
        if bad:
            self._give_up([step for step in steps if step.name in bad], bad)

    def _failures(self, name: str) -> list[str]:
        found = self.situation.services([name]).get(name, {"failed": []})
        return [task for task, _ in found["failed"]]

    def _watch(
        self,
        steps: Sequence[Step],
        plan: Mapping[str, Any],
        before: Mapping[str, Traffic],
        failures: Mapping[str, Sequence[str]],
    ) -> dict[str, str]:
        """Services that must go back, with the reason: watched for min_ready seconds."""
        env, began = self.situation.env, time.monotonic()
        hashes = {name: plan["items"][f"service {name}"]["hash"] for name in plan["definitions"]}
        replicas = {name: size(env, env.catalogue.service(name)).replicas for name in hashes}
        bad: dict[str, str] = {}
        unready: dict[str, tuple[float, str]] = {}
        while waiting := [step.name for step in steps if step.name not in bad]:
            found = self.situation.services(waiting)
            for name in waiting:
                state = found.get(name, {"failed": [], "running": 0})
                if why := task_objection(state, hashes[name], replicas[name], failures[name]):
                    bad[name] = why
            elapsed = time.monotonic() - began
            waiting = [name for name in waiting if name not in bad]
            over = elapsed >= self.min_ready
            bad |= self._unready(waiting, unready, elapsed, over)
            waiting = [name for name in waiting if name not in bad]
            if elapsed >= SAMPLE_SECONDS or over:
                bad |= self._traffic(waiting, before, elapsed, over)
            if over:
                break
            gevent.sleep(min(POLL_SECONDS, max(0.1, self.min_ready - elapsed)))
        return bad

    def _unready(
        self, names: Sequence[str], since: dict[str, tuple[float, str]], elapsed: float, over: bool
    ) -> dict[str, str]:
        """Services that were not ready for too long, or are not at the end."""
        env = self.situation.env
        edges = [host.name for host in env.group("edge") if self.situation.run.reaches(host.name)]
        if not edges or not names:
            return {}
        wanted = {name: path for name, path in probes(env).items() if name in names}
        context = {"port": int(env.setting.router_port), "probes": wanted}
        answers = self.situation.run.ask_source(edges[0], HEALTH, [], context)
        found = {}
        for name in names:
            answer = answers[f"service {name}"]
            if answer["ready"]:
                since.pop(name, None)
                continue
            first, _ = since.setdefault(name, (elapsed, answer["why"]))
            if over or elapsed - first >= self.unready_seconds:
                found[name] = f"it is not ready: {answer['why']}"
        return found

    def _traffic(
        self, names: Sequence[str], before: Mapping[str, Traffic], elapsed: float, over: bool
    ) -> dict[str, str]:
        """Services whose answers got worse; where nobody asks them, requests of our own at the end."""
        after = self.situation.traffic(names, elapsed) if names else {}
        if over:
            few = [name for name in names if after[name].requests < self.limits.requests]
            if few:
                after |= self.situation.own_requests(few, self.limits.requests)
            for name in names:
                kind = "requests of our own" if name in few else "real traffic"
                logger.info(f"    {name}: {kind}: {after[name]}; before: {before[name]}")
        reasons = {name: objection(before[name], after[name], self.limits) for name in names}
        return {name: reason for name, reason in reasons.items() if reason}

    def share(self, names: Sequence[str], percent: int) -> None:
        """Give the new release of these services a share of their traffic, and watch it."""
        canary = self.situation.env.catalogue.operations.rollout.canary
        seconds = self.setting.release_canary_seconds
        self._canary(self.steps(names)).share(percent, 60.0 * canary.every_minutes if seconds is None else seconds)

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
            self.situation.run.changes[self.situation.leader].append(
                Change(f"release of {step.name}", f"{step.before.release} -> {step.after.release}")
            )
        self.situation.keep(records)
        self.done += steps

    def _give_up(self, steps: Sequence[Step], bad: Mapping[str, str]) -> None:
        """Bring the old releases back, and say what was wrong; always raises OperatorError."""
        for step in steps:
            logger.error(f"    {step.name} {step.after.release}: {bad[step.name]}")
            self._tell_logs(step.name)
        back = list(steps)
        if self.setting.release_on_failure == "back":
            back += reversed(self.done)
        targets = {step.name: step.before for step in back}
        kept = {key(step.name): self._as_before(step) for step in back if step in self.done}
        if kept:
            self.situation.keep(kept)
        good = self.situation.bring(f"go back to {', '.join(targets)}", work(self.situation.env, targets))
        lines = [f"{name} did not get through: {why}" for name, why in bad.items()]
        lines.append(
            f"{', '.join(f'{name} {to.release}' for name, to in targets.items())} "
            + ("runs again" if good else "COULD NOT BE BROUGHT BACK, why stands above: look at it now")
        )
        if self.done:
            also = "went back too" if kept else "stay at their new release (release_on_failure is stop)"
            lines.append(f"{', '.join(step.name for step in self.done)} {also}")
        raise OperatorError("\n".join(lines))

    def _as_before(self, step: Step) -> dict[str, Any]:
        """The record of a service that got through and goes back for the others' sake."""
        record = record_of(self.situation.env, step.name)
        older = [value for value in record["history"] if value["release"] != step.before.release]
        return {**record, "current": step.before.value(), "history": older}

    def _tell_logs(self, name: str) -> None:
        lines = max(12, int(self.setting.health_log_lines))
        try:
            found = self.situation.run.ask_source(self.situation.leader, LOGS, [name], {"lines": lines})
        except OperatorError as error:
            found = {name: {"lines": [str(error)]}}
        for line in found[name]["lines"]:
            logger.error(f"      | {line}")


"""Watch a new release, its tasks, readiness and traffic, until it may be recorded."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gevent

from nexus import console
from nexus.run.side_by_side import reached
from roles.health.plan import REMOTE as HEALTH
from roles.health.plan import probes
from roles.service.scale import size
from runbooks.release.context import Situation
from runbooks.release.gate import Limits, objection, task_objection

POLL_SECONDS = 2
SAMPLE_SECONDS = 4  # of traffic before it is judged for the first time


def until_over(seconds: float) -> Iterator[float]:
    """Yield the elapsed seconds at intervals, and one last time when all of them have passed."""
    began, elapsed = time.monotonic(), 0.0
    while elapsed < seconds:
        yield elapsed
        gevent.sleep(min(POLL_SECONDS, max(0.1, seconds - elapsed)))
        elapsed = time.monotonic() - began
    yield elapsed


class Watch:
    """A wave of services, from before its rollout to the end of its gates."""

    def __init__(self, situation: Situation, names: Sequence[str], limits: Limits) -> None:
        """Notes traffic and failed tasks from before the rollout."""
        env = situation.env
        self.situation, self.names, self.limits = situation, list(names), limits
        seconds, operations = env.setting.release_min_ready_seconds, env.catalogue.operations
        self.seconds = float(operations.rollout.min_ready_seconds if seconds is None else seconds)
        self.unready_seconds = float(operations.rollback.automatic.readiness_failing_seconds)
        self.before = situation.traffic(names, 60 * int(env.setting.release_baseline_minutes))
        found = situation.services(names)
        self.failures = {name: [task for task, _ in found[name]["failed"]] for name in names}
        self.hashes: dict[str, str] = {}
        self.unready: dict[str, tuple[float, str]] = {}  # since when, and the reason

    def bad(self, work: Mapping[str, Any]) -> dict[str, str]:
        """Services that must go back, with the reason; `work` is what was rolled out. Takes as long as the gates do."""
        bad: dict[str, str] = {}
        self.hashes = {name: work["items"][f"service {name}"]["hash"] for name in self.names}
        looks: list[Callable[[Sequence[str], float], dict[str, str]]] = [self._tasks, self._readiness, self._traffic]
        for elapsed in until_over(self.seconds):
            for look in looks:
                if waiting := [name for name in self.names if name not in bad]:
                    bad |= look(waiting, elapsed)
            if len(bad) == len(self.names):
                break
        return bad

    def _tasks(self, names: Sequence[str], elapsed: float) -> dict[str, str]:
        env, found = self.situation.env, self.situation.services(names)
        gone = {"failed": [], "running": 0}
        reasons = {}
        for name in names:
            replicas = size(env, env.catalogue.service(name)).replicas
            reasons[name] = task_objection(found.get(name, gone), self.hashes[name], replicas, self.failures[name])
        return {name: why for name, why in reasons.items() if why}

    def _readiness(self, names: Sequence[str], elapsed: float) -> dict[str, str]:
        """Services that were not ready for too long, or are not ready at the end."""
        env, run = self.situation.env, self.situation.run
        edges = reached(run, "edge")
        if not edges:
            return {}
        wanted = {name: path for name, path in probes(env).items() if name in names}
        context = {"port": int(env.setting.router_port), "probes": wanted}
        answers = run.hosts.ask_source(edges[0], HEALTH, [], context)
        found = {}
        for name in names:
            answer = answers[f"service {name}"]
            if answer["ready"]:
                self.unready.pop(name, None)
                continue
            first, _ = self.unready.setdefault(name, (elapsed, answer["why"]))
            if elapsed >= self.seconds or elapsed - first >= self.unready_seconds:
                found[name] = f"it is not ready: {answer['why']}"
        return found

    def _traffic(self, names: Sequence[str], elapsed: float) -> dict[str, str]:
        """Services whose answers got worse. At the end, services with little traffic are judged by our own requests."""
        over = elapsed >= self.seconds
        if elapsed < SAMPLE_SECONDS and not over:
            return {}
        after = self.situation.traffic(names, elapsed)
        few = [name for name in names if over and after[name].requests < self.limits.requests]
        if few:
            after |= self.situation.own_requests(few, self.limits.requests)
        for name in names if over else ():
            kind = "our own requests" if name in few else "real traffic"
            console.say(f"    {name}: {kind}: {after[name]}; before: {self.before[name]}")
        reasons = {name: objection(self.before[name], after[name], self.limits) for name in names}
        return {name: why for name, why in reasons.items() if why}

"""A release in the swarm: images pulled first, canaries, gates by tasks, readiness and the requests at the edge."""

from collections.abc import Sequence
from functools import partial

from pyinfra import logger

from nexus.error import OperatorError
from nexus.run.runbook import Act, carry_out
from nexus.run.side_by_side import reached, side_by_side
from roles.health.plan import REMOTE as HEALTH
from roles.service.stack import image
from runbooks.release.canary import Canary, shares
from runbooks.release.context import PULL, Situation
from runbooks.release.gate import Limits
from runbooks.release.migration import migrate
from runbooks.release.plan import Step, at, work
from runbooks.release.session import Session
from runbooks.release.watch import Watch

LOGS = HEALTH.with_name("logs.py")


class SwarmSession(Session):
    """One run of deploys/release.py for services in the swarm."""

    def __init__(self, situation: Situation, release: str, canary: int = 0) -> None:
        super().__init__(situation, release)
        self.situation = situation
        self.limits = Limits.of(situation.env.catalogue, int(self.setting.release_gate_requests))
        self.canaries = shares(situation.env, canary)

    def prepared(self, names: Sequence[str]) -> list[Act]:
        """Pull the images, so that a wave does not wait for them."""
        return [Act(f"Pull the images of {len(names)} services on all app hosts", partial(self.fetch, names))]

    def fetch(self, names: Sequence[str]) -> None:
        """Pull the images of both releases on every host that may run them: a rollback then needs no registry."""
        run, env = self.situation.run, self.situation.env
        steps = self.steps(names)
        wanted = [image(at(env, {step.name: to}), step.name) for step in steps for to in (step.before, step.after)]
        context = {"images": list(dict.fromkeys(wanted))}
        side_by_side(lambda host: carry_out(run, host, "pull the images", PULL, "pull", context), reached(run, "app"))

    def shared(self, names: Sequence[str], what: str) -> list[Act]:
        """One act for each share of the canaries."""
        text = f"Give {self.release} of {what} {{}} % of the traffic"
        return [Act(text.format(percent), partial(self.share, names, percent)) for percent in self.canaries]

    def share(self, names: Sequence[str], percent: int) -> None:
        """Give the new release of these services a share of the traffic, and watch it."""
        canary = self.situation.env.catalogue.operations.rollout.canary
        seconds = self.setting.release_canary_seconds
        self._canary(self.steps(names)).share(percent, 60.0 * canary.every_minutes if seconds is None else seconds)

    def remove_canaries(self, steps: Sequence[Step]) -> None:
        """Remove the canaries of these services, if this run has any."""
        if self.canaries:
            self._canary(steps).remove()

    def _canary(self, steps: Sequence[Step]) -> Canary:
        return Canary(self.situation, steps, self.limits)

    def migrate(self, step: Step) -> str:
        """Run the migration as a service of the swarm."""
        return migrate(self.situation, step)

    def roll(self, steps: Sequence[Step]) -> dict[str, str]:
        """Replace the tasks, then judge them by their state and by requests."""
        watch = Watch(self.situation, [step.name for step in steps], self.limits)
        plan = work(self.situation.env, {step.name: step.after for step in steps})
        self.situation.deploy(f"release {', '.join(map(str, steps))}", plan)
        bad = watch.bad(plan)
        return bad | self.situation.failures([step.name for step in steps if step.name not in bad])

    def tell_logs(self, step: Step) -> None:
        """Show the last log lines of its failed tasks."""
        lines, name = max(12, int(self.setting.health_log_lines)), step.name
        try:
            found = self.situation.run.hosts.ask_source(self.situation.leader, LOGS, [name], {"lines": lines})
        except OperatorError as error:
            found = {name: {"lines": [str(error)]}}
        for line in found[name]["lines"][-lines:]:
            logger.error(f"      | {line}")

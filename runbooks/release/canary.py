"""A new release next to the old one, with a share of the traffic that grows while the gates pass."""

from collections.abc import Sequence
from typing import Any

from nexus import console
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan import diff
from nexus.run.output import title
from nexus.run.side_by_side import reached
from nexus.transport.host_client import HostClient
from roles.router.backend import canary
from roles.service.stack import properties
from runbooks.release.context import Situation
from runbooks.release.gate import Limits, objection
from runbooks.release.plan import NOTHING, Step, work
from runbooks.release.watch import until_over

ROLE = "router"


def shares(env: Environment, first: int) -> list[int]:
    """The shares in percent that a canary gets one after the other, beginning with `first`; none if `first` is 0."""
    setting, figures = env.setting, env.catalogue.operations.rollout.canary
    if not 0 <= first < 100:
        raise OperatorError(f"canary={first}: use a share of the traffic in percent, 1 to 99")
    step = setting.release_canary_step_percent or figures.step_percent
    return list(range(first, 100, int(step))) if first else []


class Canary:
    """The canaries of some services."""

    def __init__(self, situation: Situation, steps: Sequence[Step], limits: Limits) -> None:
        self.situation, self.steps, self.limits = situation, steps, limits
        self.names = [step.name for step in steps]

    def share(self, percent: int, seconds: float) -> None:
        """Give the canaries this share for this long; if one does worse, remove them and raise OperatorError."""
        try:
            if not self.situation.deploy(f"run the canaries of {', '.join(self.names)}", self._work(percent)):
                raise OperatorError("a canary did not get healthy (see the error above)")
            self._route(percent)
            self._watch(seconds)
        except OperatorError:
            self.remove()
            raise

    def remove(self) -> None:
        """Send all traffic to the services themselves, then remove the canaries."""
        self._route(0)
        gone = [canary(name) for name in self.names]
        self.situation.deploy("remove the canaries", {**NOTHING, "remove": gone})

    def _work(self, percent: int) -> dict[str, Any]:
        """The work of plan.py for the new release, under the canaries' names and with tasks according to the share."""
        whole = work(self.situation.env, {step.name: step.after for step in self.steps})
        definitions = {}
        for name, content in whole["definitions"].items():
            deploy = content["deploy"]
            replicas = max(1, -(-deploy["replicas"] * percent // 100))
            definitions[canary(name)] = {**content, "deploy": {**deploy, "replicas": replicas}}
        items = {f"service {name}": properties(content) for name, content in definitions.items()}
        seconds = {canary(name): value for name, value in whole["seconds"].items()}
        return {**whole, "definitions": definitions, "items": items, "seconds": seconds}

    def _route(self, percent: int) -> None:
        """Configure the routers as if the environment kept these canaries."""
        env = self.situation.env
        kept = {**env.kept, **{f"canary {name}": {"percent": percent} for name in self.names}}
        then = env.with_facts(env.hosts, env.digests, kept)
        run = self.situation.run
        for name in reached(run, "edge"):
            plan = diff.complete(run.all_roles.plan(ROLE)(then, env.host(name)))
            answer = run.hosts.ask(name, diff.question([plan]))
            planned = {file.path: file.sha256 for file in plan.files}
            for step in diff.compare(ROLE, plan, answer, planned).steps:
                if not HostClient(name).carry_out(title(ROLE, step), step, stream=True):
                    raise OperatorError(f"{name}: the router did not take the canaries (see the error above)")

    def _watch(self, seconds: float) -> None:
        """Compare canaries with the old releases, which run at the same time under the same load."""
        both = [*self.names, *map(canary, self.names)]
        for elapsed in until_over(seconds):
            over = elapsed >= seconds
            found = self.situation.traffic(both, elapsed)
            few = [canary(name) for name in self.names if found[canary(name)].requests < self.limits.requests]
            if over and few:
                found |= self.situation.own_requests(few, self.limits.requests)
            for name in self.names:
                if over:
                    console.say(f"    {canary(name)}: {found[canary(name)]}; old release: {found[name]}")
                if why := objection(found[name], found[canary(name)], self.limits):
                    raise OperatorError(f"the canary of {name} did worse than the old release: {why}")

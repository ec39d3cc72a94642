"""A new release beside the old one, with a share of the traffic that grows while it does well."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.context import state

from roles.kit import difference
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.transport import Step as Request
from roles.plans import plan_of
from roles.release.gate import Limits, objection
from roles.release.plan import NOTHING, Step, work
from roles.release.situation import Situation
from roles.router.backend import canary
from roles.service.stack import properties

POLL_SECONDS = 2
ROLE = "router"


def shares(env: Environment) -> list[int]:
    """Percentages that a canary gets one after the other; none where there is to be no canary."""
    setting, figures = env.setting, env.catalogue.operations.rollout.canary
    first = int(setting.canary)
    if not 0 <= first < 100:
        raise OperatorError(f"canary={first}: it is a share of the traffic in percent, 1 to 99")
    step = setting.release_canary_step_percent or figures.step_percent
    return list(range(first, 100, int(step))) if first else []


class Canary:
    """The canaries of some services."""

    def __init__(self, situation: Situation, steps: Sequence[Step], limits: Limits) -> None:
        self.situation, self.steps, self.limits = situation, steps, limits
        self.names = [step.name for step in steps]

    def share(self, percent: int, seconds: float) -> None:
        """Give it this share for so long; OperatorError, with everything as it was, where it does worse."""
        try:
            if not self.situation.bring(f"run the canaries of {', '.join(self.names)}", self._work(percent)):
                raise OperatorError("a canary did not get healthy; why stands above")
            self._route(percent)
            self._watch(seconds)
        except OperatorError:
            self.remove()
            raise

    def remove(self) -> None:
        """All traffic to the services themselves, then the canaries away."""
        self._route(0)
        gone = [canary(name) for name in self.names]
        self.situation.bring("remove the canaries", {**NOTHING, "remove": gone})

    def _work(self, percent: int) -> dict[str, Any]:
        """What plan.py has for the new release, under the canaries' names and with as many tasks as their share."""
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
        """The routers as if the environment kept these canaries."""
        env = self.situation.env
        kept = {**env.kept, **{f"canary {name}": {"percent": percent} for name in self.names}}
        then = env.seen(env.hosts, env.digests, kept)
        run = self.situation.run
        for host in env.group("edge"):
            if not run.reaches(host.name):
                continue
            plan = difference.complete(plan_of(ROLE)(then, host))
            answer = run.ask(host.name, difference.question([plan]))
            planned = {file.path: file.sha256 for file in plan.files}
            for step in difference.compare(ROLE, plan, answer, planned).steps:
                self._carry_out(host.name, step)

    def _carry_out(self, name: str, step: Mapping[str, Any]) -> None:
        target = state.inventory.get_host(name)
        known, _ = pop_global_arguments(state, target, {})
        arguments = {key: value for key, value in known.items() if key in CONNECTOR_ARGUMENT_KEYS}
        if not Request(f"{ROLE}: {step['do']}", step, stream=True).execute(state, target, arguments):
            raise OperatorError(f"{name}: the router could not be told of the canaries; why stands above")

    def _watch(self, seconds: float) -> None:
        """Compare canaries with the services beside them, which have the same hour and the same load."""
        began = time.monotonic()
        both = [*self.names, *map(canary, self.names)]
        while True:
            elapsed = time.monotonic() - began
            over = elapsed >= seconds
            found = self.situation.traffic(both, elapsed)
            few = [canary(name) for name in self.names if found[canary(name)].requests < self.limits.requests]
            if over and few:
                found |= self.situation.own_requests(few, self.limits.requests)
            for name in self.names:
                if over:
                    logger.info(f"    {canary(name)}: {found[canary(name)]}; beside it: {found[name]}")
                if why := objection(found[name], found[canary(name)], self.limits):
                    raise OperatorError(f"the canary of {name} did worse than what ran beside it: {why}")
            if over:
                return
            gevent.sleep(min(POLL_SECONDS, max(0.1, seconds - elapsed)))

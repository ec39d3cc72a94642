"""What a release or a rollback begins with: what hosts say now, asked afresh and changed by nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gevent

from roles.image.plan import LIBRARIES as IMAGE
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.registry.plan import registry_host
from roles.release.gate import Traffic
from roles.release.plan import NOTHING, stack
from roles.release.record import Running
from roles.runbook import carry_out
from roles.swarm.plan import CLIENT, ENGINE, KEPT, kept_state, leader

HERE = Path(__file__).parent
REMOTE, TRAFFIC, IMAGES = HERE / "remote.py", HERE / "traffic.py", HERE / "images.py"
PULL = HERE / "pulling.py"
SERVICE = (*CLIENT, "roles.service.rollout", "roles.service.remote")

__all__ = ["Situation", "side_by_side"]


class Situation:
    """A run's view of its environment, and the ways to ask and to change it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        if not run.environment.group("app"):
            raise OperatorError(
                f"{run.environment.name} has no app host, so no service to release: "
                "name some in the inventory"
            )
        self.leader = leader(run.environment).name
        if not run.reaches(self.leader):
            raise OperatorError(f"{self.leader} manages the services and this run does not reach it: drop --limit")
        self.env = self._environment()

    def _environment(self) -> Environment:
        run = self.run
        state = kept_state(run.environment)
        kept = run.ask_source(self.leader, KEPT, [], state.context, ENGINE)
        run.memory.kept = kept
        return run.environment.seen([run.host(name) for name in run.members("service")], {}, kept)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Write down what the environment keeps from now on, on its managers."""
        carry_out(self.run, self.leader, "keep the record", KEPT, {"keep": dict(values)}, ENGINE)
        self.env = self._environment()

    def services(self, names: Sequence[str]) -> dict[str, Any]:
        """How services run, see remote.py; "" holds what is not about one of them."""
        return self.run.ask_source(self.leader, REMOTE, list(names), {}, SERVICE)

    def running(self, names: Sequence[str]) -> dict[str, Running]:
        """What services run as; OperatorError for one that the swarm does not have."""
        found = self.services(names)
        if missing := [name for name in names if name not in found]:
            raise OperatorError(
                f"{', '.join(missing)}: not in the swarm yet; deploys/full.py lays a service down first"
            )
        return {name: Running(found[name]["image"], found[name]["config"]) for name in names}

    def write_stack(self) -> None:
        """The stack file as it is planned now, so that the next run finds nothing to do."""
        names = [*self.env.catalogue.services, *(["router"] if self.env.group("edge") else [])]
        running = {name: now.released() for name, now in self.running(names).items()}
        self.bring("write the stack file", {**NOTHING, "files": stack(self.env, running)})

    def bring(self, what: str, work: Mapping[str, Any]) -> bool:
        """Carry out `work` of plan.py; whether all its services got healthy. Why not was shown."""
        try:
            carry_out(self.run, self.leader, what, REMOTE, work, SERVICE)
        except OperatorError:
            return False
        return True

    def digests(self, names: Sequence[str], release: str) -> dict[str, dict[str, Any]]:
        """What the registry has of these services at a release, see images.py."""
        host = registry_host(self.env)
        if host is None or not self.run.reaches(host.name):
            raise OperatorError(
                "which images there are only the registry's host can tell, and this run does not reach "
                f"{host.name if host else 'any (the group ops is empty)'}"
            )
        context = {"storage": self.env.setting.registry_directory, "release": release}
        return self.run.ask_source(host.name, IMAGES, list(names), context, IMAGE)

    def traffic(self, names: Sequence[str], seconds: float) -> dict[str, Traffic]:
        """What real requests to services came to in the last seconds, on all edge hosts together."""
        log = f"{self.env.setting.nginx_log_directory}/access.log"
        return self._edges(names, {"log": log, "seconds": seconds})

    def own_requests(self, names: Sequence[str], count: int) -> dict[str, Traffic]:
        """The same of so many requests of our own."""
        return self._edges(names, {"own": count, "port": int(self.env.setting.router_port)}, all_edges=False)

    def _edges(self, names: Sequence[str], context: Mapping[str, Any], all_edges: bool = True) -> dict[str, Traffic]:
        edges = [host.name for host in self.env.group("edge") if self.run.reaches(host.name)]
        asked = edges if all_edges else edges[:1]
        answers = side_by_side(
            [partial(self.run.ask_source, edge, TRAFFIC, list(names), context) for edge in asked]
        )
        return {name: Traffic.of(answer[name] for answer in answers) for name in names}


def side_by_side(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of calls that wait for hosts; the first error of any of them, once all have ended."""
    waiting = [gevent.spawn(call) for call in calls]
    gevent.joinall(waiting)
    return [each.get() for each in waiting]

"""The swarm at the start of a release or rollback: answers that the hosts give now, not remembered ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from nexus.run.side_by_side import reached, side_by_side
from roles.functional import failures
from roles.service.engine import SWARM, engine_of
from roles.service.released import Released
from roles.swarm.plan import KEPT, kept_state, leader
from runbooks.release.engine import Engine, History
from runbooks.release.gate import Traffic
from runbooks.release.plan import NOTHING, batches, config_name, stack, work
from runbooks.release.record import Running

HERE = Path(__file__).parent
REMOTE, TRAFFIC = HERE / "host/services.py", HERE / "host/traffic.py"
PULL = HERE / "host/pull.py"


class Situation(Engine):
    """A run's view of its environment, with the ways to ask and change it."""

    converge, where = "deploys/full.py", "the swarm"

    def __init__(self, run: Run) -> None:
        self.run = run
        if not run.environment.group("app"):
            raise OperatorError(_no_swarm(run.environment))
        self.leader = self.host = leader(run.environment).name
        if not run.hosts.reaches(self.leader):
            raise OperatorError(f"{self.leader} manages the services and this run does not reach it: drop --limit")
        self.env = self._environment()

    def _environment(self) -> Environment:
        run = self.run
        state = kept_state(run.environment)
        kept = run.hosts.ask_source(self.leader, KEPT, [], state.context)
        run.hosts.memory.kept = kept
        return run.environment.with_facts([run.hosts.host(name) for name in run.hosts.members("service")], {}, kept)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Store on the managers what the environment keeps from now on."""
        carry_out(self.run, self.leader, "keep the record", KEPT, "keep", {"keep": dict(values)})
        self.env = self._environment()

    def services(self, names: Sequence[str]) -> dict[str, Any]:
        """How services run, see host/services.py; "" holds facts that concern no single service."""
        return self.run.hosts.ask_source(self.leader, REMOTE, list(names), {})

    def running(self, names: Sequence[str]) -> dict[str, Running]:
        """Image and configuration of running services; OperatorError for one that the swarm does not have."""
        return _running(self.services(names), names)

    def history(self, names: Sequence[str]) -> History:
        """With the release that the swarm's own rollback would return to, and the names of its configs and secrets."""
        found = self.services(names)
        running = _running(found, names)
        before = {name: found[name]["previous"] for name in names}
        previous = {name: _of(one).released() if one else None for name, one in before.items()}
        return History(running, previous, found[""]["stored"])

    def config_name(self, name: str, to: Released) -> str:
        """The name of the Docker config."""
        return config_name(self.env, name, to)

    def failures(self, names: Sequence[str]) -> dict[str, str]:
        """Services that do not pass their functional checks."""
        return failures(self.run, names)

    def bring(self, what: str, targets: Mapping[str, Released], in_order: bool = False) -> bool:
        """Replace the tasks of these services; whether all got healthy."""
        plan = work(self.env, targets)
        return self.deploy(what, {**plan, "batches": batches(self.env, targets)} if in_order else plan)

    def settle(self) -> None:
        """Write the stack file as it is planned now."""
        names = [*self.env.catalogue.services, *(["router"] if self.env.group("edge") else [])]
        running = {name: now.released() for name, now in self.running(names).items()}
        self.deploy("write the stack file", {**NOTHING, "files": stack(self.env, running)})

    def deploy(self, what: str, work: Mapping[str, Any]) -> bool:
        """Carry out `work` of plan.py; whether all its services got healthy. Errors were shown."""
        try:
            carry_out(self.run, self.leader, what, REMOTE, "apply", work)
        except OperatorError:
            return False
        return True

    def traffic(self, names: Sequence[str], seconds: float) -> dict[str, Traffic]:
        """The real requests to services in the last seconds, summed over all edge hosts."""
        log = f"{self.env.setting.nginx_log_directory}/access.log"
        return self._edges(names, {"log": log, "seconds": seconds})

    def own_requests(self, names: Sequence[str], count: int) -> dict[str, Traffic]:
        """The same for this number of our own requests, sent from one edge host."""
        return self._edges(names, {"own": count, "port": int(self.env.setting.router_port)}, all_edges=False)

    def _edges(self, names: Sequence[str], context: Mapping[str, Any], all_edges: bool = True) -> dict[str, Traffic]:
        edges = reached(self.run, "edge")
        asked = edges if all_edges else edges[:1]
        answers = side_by_side(lambda edge: self.run.hosts.ask_source(edge, TRAFFIC, list(names), context), asked)
        return {name: Traffic.of(answer[name] for answer in answers.values()) for name in names}


def _running(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Running]:
    if missing := [name for name in names if name not in found]:
        raise OperatorError(
            f"{', '.join(missing)}: not in the swarm yet; deploy a new service with deploys/full.py first"
        )
    return {name: _of(found[name]) for name in names}


def _of(found: Mapping[str, Any]) -> Running:
    return Running(found["image"], found["config"])


def _no_swarm(env: Environment) -> str:
    if engine_of(env) == SWARM:
        return f"{env.name} has no app host, so no service to release: name app hosts in the inventory"
    return (
        f"the services of {env.name} run in a cluster of Kubernetes (service_engine), and front ends need the swarm of "
        "app hosts, which keeps their releases: name app hosts in the inventory, or serve the pages from elsewhere"
    )

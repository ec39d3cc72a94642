"""The situation at the start of a release or rollback: answers that the hosts give now, not remembered ones."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from nexus.run.side_by_side import reached, side_by_side
from roles.alertmanager.silence import silenced
from roles.registry.plan import registry_host
from roles.swarm.plan import KEPT, kept_state, leader
from runbooks.release.gate import Traffic
from runbooks.release.plan import NOTHING, stack
from runbooks.release.record import Running

HERE = Path(__file__).parent
REMOTE, TRAFFIC, IMAGES = HERE / "host/services.py", HERE / "host/traffic.py", HERE / "host/images.py"
SILENCE_SECONDS = 1800  # until alerts come again if this run dies
PULL = HERE / "host/pull.py"


class Situation:
    """A run's view of its environment, with the ways to ask and change it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        if not run.environment.group("app"):
            raise OperatorError(
                f"{run.environment.name} has no app host, so no service to release: name app hosts in the inventory"
            )
        self.leader = leader(run.environment).name
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
        found = self.services(names)
        if missing := [name for name in names if name not in found]:
            raise OperatorError(
                f"{', '.join(missing)}: not in the swarm yet; deploy a new service with deploys/full.py first"
            )
        return {name: Running(found[name]["image"], found[name]["config"]) for name in names}

    def write_stack(self) -> None:
        """Write the stack file as it is planned now, so that the next run finds nothing to do."""
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

    def digests(self, names: Sequence[str], release: str) -> dict[str, dict[str, Any]]:
        """The images that the registry has of these services at a release, see images.py."""
        host = registry_host(self.env)
        if host is None or not self.run.hosts.reaches(host.name):
            raise OperatorError(
                "only the registry's host knows which images exist, and this run does not reach "
                f"{host.name if host else 'one: the group ops is empty'}"
            )
        context = {"storage": self.env.setting.registry_directory, "release": release}
        return self.run.hosts.ask_source(host.name, IMAGES, list(names), context)

    def traffic(self, names: Sequence[str], seconds: float) -> dict[str, Traffic]:
        """The real requests to services in the last seconds, summed over all edge hosts."""
        log = f"{self.env.setting.nginx_log_directory}/access.log"
        return self._edges(names, {"log": log, "seconds": seconds})

    def own_requests(self, names: Sequence[str], count: int) -> dict[str, Traffic]:
        """The same for this number of our own requests, sent from one edge host."""
        return self._edges(names, {"own": count, "port": int(self.env.setting.router_port)}, all_edges=False)

    def silenced(self, names: Sequence[str], why: str) -> AbstractContextManager[None]:
        """No alert about these services while the context is open."""
        return silenced(self.run, names, why, SILENCE_SECONDS)

    def _edges(self, names: Sequence[str], context: Mapping[str, Any], all_edges: bool = True) -> dict[str, Traffic]:
        edges = reached(self.run, "edge")
        asked = edges if all_edges else edges[:1]
        answers = side_by_side(lambda edge: self.run.hosts.ask_source(edge, TRAFFIC, list(names), context), asked)
        return {name: Traffic.of(answer[name] for answer in answers.values()) for name in names}

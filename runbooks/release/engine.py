"""What a release and a rollback need of the engine that runs the services: the swarm, or a cluster of Kubernetes."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from nexus.environment.environment import Environment
from nexus.plan.desired import Change
from nexus.run.run import Run
from roles.alertmanager.silence import silenced
from roles.image.releases import digests
from roles.service.released import Released
from runbooks.release.plan import Step
from runbooks.release.record import Running

SILENCE_SECONDS = 1800  # until alerts come again if this run dies


@dataclass(frozen=True)
class History:
    """Services as they run, their release before that one where the engine remembers it, and configurations kept."""

    running: Mapping[str, Running]
    previous: Mapping[str, Released | None]
    configurations: Collection[str]


class Engine(ABC):
    """The services of an environment as they run now, with the ways to ask and change them."""

    converge: ClassVar[str]  # the deploy that brings everything to its plan
    run: Run
    env: Environment  # with the records of releases
    where: str  # what runs the services, in messages
    host: str  # the host of the run for which changes are recorded

    @abstractmethod
    def running(self, names: Sequence[str]) -> dict[str, Running]:
        """Image and configuration of running services; OperatorError for one that does not run."""

    @abstractmethod
    def history(self, names: Sequence[str]) -> History:
        """How services got where they are; OperatorError for one that does not run."""

    @abstractmethod
    def config_name(self, name: str, to: Released) -> str:
        """The name of the configuration that a service runs with at this release."""

    @abstractmethod
    def keep(self, values: Mapping[str, Any]) -> None:
        """Store what the environment keeps from now on, such as records of releases."""

    @abstractmethod
    def bring(self, what: str, targets: Mapping[str, Released], in_order: bool = False) -> bool:
        """Bring services to releases; whether all got healthy. Errors were shown.

        `in_order` begins with the services that the catalogue names for rollbacks.
        """

    @abstractmethod
    def settle(self) -> None:
        """Leave nothing to do for the next run."""

    @abstractmethod
    def failures(self, names: Sequence[str]) -> dict[str, str]:
        """{service: reason} of those that run and do not do their work."""

    def digests(self, names: Sequence[str], release: str) -> dict[str, dict[str, Any]]:
        """The images that the registry has of these services at a release, see roles/image/releases.py."""
        return digests(self.run, self.env, names, release)

    def silenced(self, names: Sequence[str], why: str) -> AbstractContextManager[None]:
        """No alert about these services while the context is open."""
        return silenced(self.run, names, why, SILENCE_SECONDS)

    def changed(self, step: Step) -> None:
        """Add the step to the changes that this run reports and records."""
        change = Change(f"release of {step.name}", f"{step.before.release} -> {step.after.release}")
        self.run.outcome.changes[self.host].append(change)

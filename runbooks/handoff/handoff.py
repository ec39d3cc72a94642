"""What pages are made from: an environment's plan, a commit, and an observation of its hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from runbooks.handoff.commit import Commit
from runbooks.handoff.observation import Observation
from runbooks.handoff.truth import Difference, differences

SHOWN = 20  # differences in an error


@dataclass(frozen=True)
class Handoff:
    """All inputs. `observation` is None if pages are made from the plan alone, which they say."""

    env: Environment
    commit: Commit
    observation: Observation | None
    differences: Sequence[Difference] = ()

    @classmethod
    def of(cls, env: Environment, commit: Commit, observation: Observation | None, allow: bool = False) -> "Handoff":
        """The inputs, with what the environment kept. OperatorError if plan and hosts differ, unless allowed."""
        if observation is None:
            return cls(env, commit, None)
        env = env.with_facts([], {}, observation["kept"])
        found = differences(env, commit, observation)
        if found and not allow:
            shown = "\n".join(f"  {difference}" for difference in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise OperatorError(
                f"{env.name}: plan and hosts differ, so no pages are made:\n{shown}{more}\n"
                f"Converge the hosts (pyinfra inventory deploys/full.py -y), or let the pages list the differences: "
                "drift=allow"
            )
        return cls(env, commit, observation, found)

    def differing(self, subject: str) -> list[Difference]:
        """The differences that concern a subject, such as "service auth-service"."""
        return [difference for difference in self.differences if difference.subject == subject]

    def rows(self, *areas: str) -> list[dict[str, Any]]:
        """Rows of the observed status in these areas."""
        return [row for row in (self.observation or {}).get("status", ()) if row["area"] in areas]

    @property
    def missed(self) -> list[dict[str, Any]]:
        """Rows of the observed status whose target was missed. They stop nothing: the pages say so."""
        return [row for row in (self.observation or {}).get("status", ()) if row["missed"]]

    def found(self, kind: str, name: str) -> dict[str, Any]:
        """What was found of a host or a service: kind is "hosts" or "services"; empty if nothing is known."""
        return dict((self.observation or {}).get(kind, {}).get(name, {}))

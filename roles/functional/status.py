"""Rows about functional checks. This role converges nothing, so the role health runs them and shows these rows."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, told, unreachable_lines
from nexus.run.run import Run
from roles.functional import current, judge
from roles.functional import plan as functional_plan
from roles.functional.plan import asking


def run_question(run: Run, host: Host) -> dict[str, Any]:
    """The checks of the services that are open now, for the edge host that sends them."""
    if host.name not in asking(run.environment):
        return {}
    env = current(run)
    wanted = functional_plan.checks(env)
    return {"functional": functional_plan.context(env, env.host(host.name), wanted)} if wanted else {}


def rows(env: Environment, answers: Answers) -> Iterator[Row]:
    """Functional checks of services with their own code, and each failure that the catalogue declares."""
    edge = asking(env)
    yield from unreachable_lines(answers, "functional", edge)
    for answer in told(answers, "functional", edge).values():
        result = judge(env, answer)
        advice = "; ".join(f"{name}: {why}" for name, why in result.failed.items())
        yield Row("services", "functional checks", str(result).replace(" functional checks", ""), "all", advice)
        for name, why in result.known.items():
            yield Row("services", name, f"known failure: {why}")

"""Rows about services: whether they are ready, and whether those with their own code do their work."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, told, unreachable_lines
from nexus.run.run import Run
from roles.functional import status as functional
from roles.functional.plan import asking
from roles.health.plan import probes
from roles.service.engine import KUBERNETES, engine_of

CHECKS = ("services-running",)  # daily checks that these rows answer


def question(env: Environment, host: Host) -> dict[str, Any]:
    """One edge host asks the router."""
    if host.name not in asking(env):
        return {}
    return {"services": {"port": int(env.setting.router_port), "probes": probes(env)}}


def run_question(run: Run, host: Host) -> dict[str, Any]:
    """The functional checks of open services, which the same edge host sends."""
    return functional.run_question(run, host)


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Health, then functional checks."""
    yield from services(env, answers)
    yield from functional.rows(env, answers)


def services(env: Environment, answers: Answers) -> Iterator[Row]:
    """Services that the router finds ready; no edge host is asked about those of a cluster."""
    if engine_of(env) == KUBERNETES:
        yield Row("services", "health", "not asked: they run in a cluster of Kubernetes")
    yield from unreachable_lines(answers, "services", asking(env))
    for answer in told(answers, "services", asking(env)).values():
        bad = {name.removeprefix("service "): one["why"] for name, one in answer.items() if not one["ready"]}
        first = "; ".join(f"{name}: {why}" for name, why in list(bad.items())[:3])
        advice = f"{first}. Run deploys/verify.py for their last log lines" if bad else ""
        yield Row("services", "health", f"{len(answer) - len(bad)} of {len(answer)} healthy", "all", advice)

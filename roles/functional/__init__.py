"""Functional: services with their own code do their work, checked through the edge as a user would use them.

Health says that a service answers and that its process is alive; shipped code says so even without its database.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

import gevent
from pyinfra.api.deploy import deploy
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.catalogue.functional import FunctionalCheck
from nexus.environment.environment import Environment
from nexus.run.run import Run, current_run
from nexus.run.verification import Finding, verify
from roles.functional.plan import REMOTE, asking, checks, context
from roles.image.checkout import checkout

POLL_SECONDS = 2
Wanted = Mapping[str, Collection[FunctionalCheck]]


@dataclass(frozen=True)
class Result:
    """How checks ended: `failed` and `known` map "SERVICE: CHECK" to the reason."""

    passed: int
    failed: Mapping[str, str]
    known: Mapping[str, str]  # failures that the catalogue declares

    def __str__(self) -> str:
        total = self.passed + len(self.failed) + len(self.known)
        known = f", {len(self.known)} known to fail" if self.known else ""
        return f"{self.passed}/{total} functional checks pass{known}"


@deploy("Functional")
def functional(full: bool = False) -> None:
    """Services that run shipped code pass their checks; else the run fails and names the request and its answer.

    `full` also runs the checks that write, for every service.
    """
    run = current_run()
    if here.name in asking(run.environment) and checks(current(run), full=full):
        verify("Run the functional checks of services", "functional checks", partial(_ask, full))


def _ask(full: bool, run: Run, edge: str) -> Finding:
    """All checks that are due; those that write only for services that this run changed, or for every service."""
    result = asked(run, edge, checks(current(run), changed(run), full))
    failed = [f"{name}: functional check failed: {why}" for name, why in result.failed.items()]
    return Finding(str(result), failed, [f"{name}: known failure: {why}" for name, why in result.known.items()])


def current(run: Run) -> Environment:
    """The environment with the modules that are closed for maintenance now; no host is asked where no check is due."""
    return run.environment_now() if checkout(run.environment) else run.environment


def changed(run: Run) -> set[str]:
    """Services that this run changed: their checks that write are due."""
    names = {change.what for changes in run.outcome.changes.values() for change in changes}
    return {name.removeprefix("service ") for name in names if name.startswith("service ")}


def asked(run: Run, edge: str, wanted: Wanted) -> Result:
    """Run the checks, and repeat those that fail until functional_timeout_seconds are over."""
    env = run.environment
    deadline = time.monotonic() + int(env.setting.functional_timeout_seconds)
    left: Wanted = wanted
    answers: dict[str, dict[str, str]] = {}
    while left:
        question = context(env, env.host(edge), left)
        for name, found in run.hosts.ask_source(edge, REMOTE, [], question).items():
            answers[name] = answers.get(name, {}) | found
        left = _failing(left, judge(env, answers).failed)
        if time.monotonic() > deadline:
            break
        if left:
            gevent.sleep(POLL_SECONDS)
    return judge(env, answers)


def _failing(wanted: Wanted, failed: Collection[str]) -> dict[str, list[FunctionalCheck]]:
    """The checks that failed: one that wrote something and passed is not sent again."""
    found = {name: [each for each in checks if f"{name}: {each.name}" in failed] for name, checks in wanted.items()}
    return {name: checks for name, checks in found.items() if checks}


def judge(env: Environment, answers: Mapping[str, Mapping[str, str]]) -> Result:
    """The result of the edge host's answers."""
    passed, failed, known = 0, {}, {}
    for name, found in answers.items():
        declared = {check.name: check.known_failure for check in env.catalogue.service(name).functional}
        for check, why in found.items():
            if not why:
                passed += 1
            elif declared[check]:
                known[f"{name}: {check}"] = f"{declared[check]} ({why})"
            else:
                failed[f"{name}: {check}"] = why
    return Result(passed, failed, known)


def failures(run: Run, names: Collection[str]) -> dict[str, str]:
    """{service: reason} for those of the just changed services `names` that do not pass all their checks."""
    edges = [edge.name for edge in run.environment.group("edge") if run.hosts.reaches(edge.name)]
    wanted = {name: found for name, found in checks(current(run), names).items() if name in names}
    if not edges or not wanted:
        return {}
    failed: dict[str, str] = {}
    for key, why in asked(run, edges[0], wanted).failed.items():
        name, _, check = key.partition(": ")
        failed.setdefault(name, f'its functional check "{check}" failed: {why}')
    return failed

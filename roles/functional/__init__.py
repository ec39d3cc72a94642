"""Functional: services with code of their own do their work, asked through the edge as a user would.

Health says that a service answers and that its process is alive; shipped code says so with its database away too.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import operation
from pyinfra.context import host

from roles.catalogue.functional import FunctionalCheck
from roles.functional.plan import LIBRARIES, REMOTE, checks, context
from roles.image.checkout import checkout
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.progress import progress
from roles.kit.run import Run

POLL_SECONDS = 2
Wanted = Mapping[str, Collection[FunctionalCheck]]


@dataclass(frozen=True)
class Result:
    """How checks ended: `failed` and `known` map "SERVICE: CHECK" to the reason."""

    passed: int
    failed: Mapping[str, str]
    known: Mapping[str, str]  # that the catalogue declares

    def __str__(self) -> str:
        total = self.passed + len(self.failed) + len(self.known)
        known = f", {len(self.known)} known to fail" if self.known else ""
        return f"{self.passed}/{total} functional checks pass{known}"


@deploy("Functional")
def functional() -> None:
    """Services that run shipped code pass their checks, or the run fails and names request and answer."""
    run = Run.current
    if host.name == run.environment.group("edge")[0].name and checks(current(run)):
        run.reading.add(_functional(name="Ask services to do their work")._hash)


@operation()
def _functional() -> Iterator[PyinfraCommand]:
    if Run.current.executing():
        yield _Ask()


class _Ask(PyinfraCommand):
    """All checks that are due: those that write for what this run changed."""

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when none failed but those that are known to."""
        run = Run.current
        with progress.step(host.name, "functional checks"):
            result = asked(run, host.name, checks(current(run), changed(run)))
        for name, why in result.known.items():
            logger.warning(f"    {name}: known failure: {why}")
        for name, why in result.failed.items():
            logger.error(f"    {name}: functional check failed: {why}")
        run.findings["functional"] = str(result)
        return not result.failed


def current(run: Run) -> Environment:
    """The environment with the modules that are closed for maintenance now; nothing is asked where nothing is due.

    Where no manager says which these are, they are those that the last run knew.
    """
    env = run.environment
    if not checkout(env):
        return env
    try:
        kept = run.kept()
    except (OperatorError, PyinfraError):
        kept = run.memory.kept
    return env.seen([], {}, kept)


def changed(run: Run) -> set[str]:
    """Services that this run changed, whose checks that write are due."""
    names = {change.what for changes in run.changes.values() for change in changes}
    return {name.removeprefix("service ") for name in names if name.startswith("service ")}


def asked(run: Run, edge: str, wanted: Wanted) -> Result:
    """The checks, repeated for those that fail until functional_timeout_seconds are over."""
    env = run.environment
    deadline = time.monotonic() + int(env.setting.functional_timeout_seconds)
    left: Wanted = wanted
    answers: dict[str, dict[str, str]] = {}
    while left:
        question = context(env, env.host(edge), left)
        for name, found in run.ask_source(edge, REMOTE, [], question, LIBRARIES).items():
            answers[name] = answers.get(name, {}) | found
        left = _failing(left, judge(env, answers).failed)
        if time.monotonic() > deadline:
            break
        if left:
            gevent.sleep(POLL_SECONDS)
    return judge(env, answers)


def _failing(wanted: Wanted, failed: Collection[str]) -> dict[str, list[FunctionalCheck]]:
    """Those of the checks that failed: one that wrote something and passed is not sent again."""
    found = {name: [each for each in checks if f"{name}: {each.name}" in failed] for name, checks in wanted.items()}
    return {name: checks for name, checks in found.items() if checks}


def judge(env: Environment, answers: Mapping[str, Mapping[str, str]]) -> Result:
    """What the answers of the edge host come to."""
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
    """{service: why} of those among `names` that were just changed and do not pass all their checks."""
    edges = [edge.name for edge in run.environment.group("edge") if run.reaches(edge.name)]
    wanted = {name: found for name, found in checks(current(run), names).items() if name in names}
    if not edges or not wanted:
        return {}
    failed: dict[str, str] = {}
    for key, why in asked(run, edges[0], wanted).failed.items():
        name, _, check = key.partition(": ")
        failed.setdefault(name, f'its functional check "{check}" failed: {why}')
    return failed

"""Health: every service of the catalogue answers at the router, or the run says which does not and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.deploy import deploy
from pyinfra.api.operation import operation
from pyinfra.context import host

from roles.health.plan import REMOTE, plan
from roles.kit.ahead import Ahead
from roles.kit.error import OperatorError
from roles.kit.progress import progress
from roles.kit.run import Run

POLL_SECONDS = 2


def ask_ahead() -> None:
    """Ask services as soon as the hosts that serve them are found as planned, while others still answer.

    For a deploy that changes what differs unasked: if anything is changed, they are asked again after it.
    """
    run = Run.current
    edge = run.environment.group("edge")
    if not run.ahead and run.observes_later and edge:
        serving = {member.name for member in (*edge, *run.environment.group("app"))}
        run.ahead = Ahead(serving, partial(run.ask_source, edge[0].name, REMOTE, [], _context(run, edge[0])))


@deploy("Health")
def health() -> None:
    """Wait until all services are healthy; fail with the reasons when they do not become so in time."""
    run = Run.current
    if host.name == run.environment.group("edge")[0].name:
        run.answer(host.name)
        run.reading.add(_healthy(name="Ask every service for its health at the router")._hash)


@operation()
def _healthy() -> Iterator[PyinfraCommand]:
    run = Run.current
    if run.observes_later:
        known = run.ahead.answer() if run.ahead and run.settled() else None
        run.health = _reasons(known or run.ask_source(host.name, REMOTE, [], _context(run, host)))
    else:
        run.health = _reasons(run.answer(host.name)["states"]["health"]["items"])
    if any(run.health.values()):
        yield _Wait()


class _Wait(PyinfraCommand):
    """Ask again until everything is healthy or the time is up."""

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when everything is healthy."""
        with progress.step(host.name, "services becoming healthy"):
            return self._wait(host)

    def _wait(self, host: Any) -> bool:
        run = Run.current
        context = _context(run, host)
        deadline = time.monotonic() + int(run.environment.setting.health_timeout_seconds)
        told = ""
        while waiting := [name for name, why in (run.health or {}).items() if why]:
            text = f"waiting for {len(waiting)} of {len(context['probes'])}: {', '.join(waiting[:4])}"
            if text != told:
                logger.info(f"{host.print_prefix}{text}{' ...' if len(waiting) > 4 else ''}")
                told = text
            if time.monotonic() > deadline:
                _collect_logs(run, waiting)
                return False
            gevent.sleep(POLL_SECONDS)
            run.health = _reasons(run.ask_source(host.name, REMOTE, [], context))
        return True


def _context(run: Run, host: Any) -> Mapping[str, Any]:
    """What is asked of the router on the host that asks it."""
    return plan(run.environment, run.environment.host(host.name)).states[0].context


def _reasons(items: dict[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix("service "): "" if item["ready"] else item["why"] or "is not ready"
        for name, item in items.items()
    }


def _collect_logs(run: Run, services: list[str]) -> None:
    """Last log lines of the services that are not healthy, for the table at the end of the run."""
    lines = int(run.environment.setting.health_log_lines)
    managers = [member.name for member in run.environment.group("app") if run.reaches(member.name)]
    for service in services[:5] if managers else []:
        try:
            found = run.ask_source(managers[0], REMOTE.with_name("logs.py"), [service], {"lines": lines})
            run.logs[service] = found[service]["lines"]
        except OperatorError as error:
            run.logs[service] = [str(error)]

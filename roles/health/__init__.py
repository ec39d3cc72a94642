"""Health: every service of the catalogue answers at the router, or the run says which ones do not, and why."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import gevent
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.deploy import deploy
from pyinfra.api.operation import operation
from pyinfra.context import host as here  # `host` is the folder of what runs on hosts

from nexus.error import OperatorError
from nexus.pyinfra_patches import identity
from nexus.run.run import Run, current_run
from nexus.transport.progress import progress
from roles.functional.plan import asking
from roles.health.cause import Watch
from roles.health.plan import REMOTE, plan
from roles.health.verdict import Verdict, verdict

POLL_SECONDS = 2


@deploy("Health")
def health() -> None:
    """Wait until all services are healthy; fail with the reasons if some are not healthy in time."""
    run = current_run()
    if here.name in asking(run.environment):
        run.hosts.answer(here.name)
        run.reading.add(identity(_healthy(name="Ask every service for its health at the router")))


@operation()
def _healthy() -> Iterator[PyinfraCommand]:
    run, found = current_run(), verdict(current_run())
    if run.hosts.observes_later:
        found.services = _reasons(run.hosts.ask_source(here.name, REMOTE, [], _context(run, here)))
    else:
        found.services = _reasons(run.hosts.answer(here.name)["states"]["health"]["items"])
    if found.waiting:
        yield _Wait()


class _Wait(PyinfraCommand):
    """Ask again until everything is healthy, the time is up, or a known cause persists."""

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when everything is healthy."""
        with progress.step(host.name, "services becoming healthy") as number:
            return self._wait(host, number)

    def _wait(self, host: Any, number: int) -> bool:
        run, known = current_run(), verdict(current_run())
        if found := run.obstacles():  # a service is not to blame for its store
            raise OperatorError("services are not healthy, and cannot be until this is fixed:\n" + "\n".join(found))
        context = _context(run, host)
        deadline = time.monotonic() + int(run.environment.setting.health_timeout_seconds)
        watch = Watch(run, known)
        while waiting := known.waiting:
            text = f"{len(waiting)} of {len(context['probes'])}: {', '.join(waiting[:4])}"
            progress.note(number, f"{text}{' ...' if len(waiting) > 4 else ''}")
            if watch.hopeless(waiting) or time.monotonic() > deadline:
                _collect_logs(run, known, waiting)
                return False
            gevent.sleep(POLL_SECONDS)
            known.services = _reasons(run.hosts.ask_source(host.name, REMOTE, [], context))
        known.causes = []
        return True


def _context(run: Run, host: Any) -> Mapping[str, Any]:
    """The context of the request to the router, on the host that sends it."""
    return plan(run.environment, run.environment.host(host.name)).states[0].context


def _reasons(items: dict[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix("service "): "" if item["ready"] else item["why"] or "is not ready"
        for name, item in items.items()
    }


def _collect_logs(run: Run, known: Verdict, services: list[str]) -> None:
    """Collect the last log lines of services that are not healthy, for the table at the end of the run."""
    lines = int(run.environment.setting.health_log_lines)
    managers = [member.name for member in run.environment.group("app") if run.hosts.reaches(member.name)]
    for service in services[:5] if managers else []:
        try:
            found = run.hosts.ask_source(managers[0], REMOTE.with_name("logs.py"), [service], {"lines": lines})
            known.logs[service] = found[service]["lines"]
        except OperatorError as error:
            known.logs[service] = [str(error)]

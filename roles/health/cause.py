"""Known causes of unhealthy services: everything on any host that is not as planned right now.

Such as a server that the stores' proxy has in maintenance, or a store or a node that somebody took out. Services only
report that they cannot reach something, so these causes come first, and a run does not wait in vain.
"""

import time
from collections.abc import Collection, Iterator

import gevent
from pyinfra.api.exceptions import PyinfraError

from nexus.error import OperatorError
from nexus.run.run import Run
from roles.health.verdict import Verdict

LOOK_SECONDS, CALM_SECONDS = 4, 30  # pauses between probes of all hosts: with a known cause, and without one
STUCK_SECONDS = 8  # if causes and services stay the same for this long, waiting is useless
# Items that may differ without harm to running services.
HARMLESS = ("file ", "directory ", "link ", "path ", "package ", "user ", "group ", "manifest ", "role ")
CALM = {"base", "certificate", "backup", "image", "registry", "health"}  # roles that running services do not need
OWN = {"service"}  # roles whose differences say that services are unhealthy, but not why


def known_causes(run: Run) -> list[str]:
    """ "HOST: ROLE: ITEM: HOW" for all differences on hosts that answer now; they are asked in parallel."""
    names = [host.name for host in run.environment.hosts if run.hosts.reaches(host.name)]
    for name in names:
        run.hosts.drop(name)
    asked = [gevent.spawn(_of_host, run, name) for name in names]
    return [cause for job in asked for cause in job.get()]


def _of_host(run: Run, name: str) -> list[str]:
    try:
        return list(_differences(run, name))
    except (OperatorError, PyinfraError) as error:
        return [f"{name}: {error}"]


def _differences(run: Run, name: str) -> Iterator[str]:
    for role in run.hosts.roles(name):
        if role in CALM:
            continue
        found = run.hosts.compare(name, role)
        for change in (*found.changes, *found.told):
            if not change.what.startswith(HARMLESS):
                yield f"{name}: {role}: {change}"


class Watch:
    """Looks for causes while a run waits for services, and decides when waiting is useless."""

    def __init__(self, run: Run, verdict: Verdict) -> None:
        self.run, self.verdict = run, verdict
        self._looked = self._since = float("-inf")
        self._before: tuple[object, ...] = ()

    def hopeless(self, waiting: Collection[str]) -> bool:
        """Whether a cause is known, and neither the causes nor the waiting services have changed for a while."""
        now = time.monotonic()
        if now - self._looked < (LOOK_SECONDS if self.verdict.causes else CALM_SECONDS):
            return False
        self._looked = now
        self.verdict.causes = known_causes(self.run)
        for cause in self.verdict.causes:
            self.run.outcome.note("known cause", cause)
        stands = (sorted(self.verdict.causes), sorted(waiting))
        if stands != self._before:
            self._before, self._since = stands, now
        real = [cause for cause in self.verdict.causes if cause.split(": ")[1] not in OWN]
        return bool(real) and now - self._since >= STUCK_SECONDS

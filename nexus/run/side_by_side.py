"""Work on several hosts in parallel."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import gevent

from nexus.run.run import Run

Result = TypeVar("Result")


def reached(run: Run, group: str = "") -> list[str]:
    """Return the names of the hosts that a run is connected to, of one group or of all."""
    hosts = run.environment.group(group) if group else run.environment.hosts
    return [host.name for host in hosts if run.hosts.reaches(host.name)]


def side_by_side(work: Callable[[str], Result], names: Iterable[str]) -> dict[str, Result]:
    """Call `work(name)` for each name in parallel and return {name: result}.

    If any calls fail, the first error is raised once all have ended.
    """
    jobs = {name: gevent.spawn(work, name) for name in names}
    gevent.joinall(jobs.values())
    return {name: job.get() for name, job in jobs.items()}

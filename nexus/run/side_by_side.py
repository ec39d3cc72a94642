"""Work on several hosts at the same time."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import gevent

from nexus.run.run import Run

Result = TypeVar("Result")


def reached(run: Run, group: str = "") -> list[str]:
    """Hosts of a group, or of all, that a run is connected to."""
    hosts = run.environment.group(group) if group else run.environment.hosts
    return [host.name for host in hosts if run.hosts.reaches(host.name)]


def side_by_side(work: Callable[[str], Result], names: Iterable[str]) -> dict[str, Result]:
    """What `work(name)` returns for each name; the first error of any of them, once all have ended."""
    jobs = {name: gevent.spawn(work, name) for name in names}
    gevent.joinall(jobs.values())
    return {name: job.get() for name, job in jobs.items()}

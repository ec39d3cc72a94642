"""Where the audit record of an environment is kept, and how it is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gevent

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.transport.host_client import HostClient

SOURCE = Path(__file__).parent / "host/record.py"
EXCHANGED_SECONDS = 366 * 86400  # older lines than this before the last one stay where they are
APART_SECONDS = 7 * 86400  # for which each of two hosts may have had runs without the other
LINES_MOST = 200  # in one request
Line = dict[str, Any]


def places(env: Environment) -> list[str]:
    """Hosts that may keep the record, in order of preference: those of the record's group, then all others."""
    names = [host.name for host in (*env.group(str(env.setting.record_group)), *env.hosts)]
    return [name for name in dict.fromkeys(names) if name not in env.left_out]


def second(env: Environment, place: str) -> str:
    """The host that keeps the second copy of a record whose first copy is on `place`; empty if no other host can."""
    hosts = env.group(str(env.setting.record_copy_group)) if env.setting.record_copy_group else []
    return next((host.name for host in hosts if host.name not in env.left_out | {place}), "")


def exchange(last: Mapping[str, float]) -> None:
    """Give each of two hosts the lines that only the other has, such as all of them to a host that was replaced.

    `last` has the time of the newest line of each. OperatorError if one does not answer.
    """
    since = max(min(last.values()) - APART_SECONDS, max(last.values()) - EXCHANGED_SECONDS)
    lines = [HostClient(name).act_aside(SOURCE, "read", {"since": since})["lines"] for name in last]
    for name, own, others in zip(last, lines, reversed(lines), strict=True):
        known = set(map(identity, own))
        missing = [line for line in others if identity(line) not in known]
        for some in batched(missing, LINES_MOST):
            HostClient(name).act_aside(SOURCE, "adopt", {"lines": some})


def batched(lines: list[Line], most: int) -> Iterator[list[Line]]:
    """Return the lines in lists of at most this length."""
    return (lines[begin : begin + most] for begin in range(0, len(lines), most))


def identity(line: Line) -> tuple[str, str]:
    """What a line is about. Hosts with a copy of the record have lines of the same identity."""
    return line["event"], line["run"]


def read(env: Environment, since: float) -> tuple[list[Line], list[str], list[str]]:
    """(lines since then, places where the chain is broken, hosts that did not answer), from all hosts.

    Two hosts have the same lines, and runs that could not reach them have left theirs on another. Of lines about the
    same, the first one counts.
    """
    names = places(env)
    jobs = [gevent.spawn(_read, name, since) for name in names]
    gevent.joinall(jobs, raise_error=True)
    lines: list[Line] = []
    broken: list[str] = []
    silent: list[str] = []
    for name, job in zip(names, jobs, strict=True):
        if job.value is None:
            silent.append(name)
            continue
        lines += job.value["lines"]
        broken += [f"{name}: {place}" for place in job.value["broken"]]
    if len(silent) == len(names):
        raise OperatorError(
            f"none of {', '.join(names)} answers, and one of them keeps the record of {env.name}: bring one back online"
        )
    once: dict[tuple[str, str], Line] = {}
    for line in sorted(lines, key=lambda line: float(line["time"])):
        once.setdefault(identity(line), line)
    return list(once.values()), broken, silent


def _read(name: str, since: float) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = HostClient(name).act_aside(SOURCE, "read", {"since": since})
    except OperatorError:
        return None
    return found

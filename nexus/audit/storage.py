"""Where the audit record of an environment is kept, and how it is read."""

from pathlib import Path
from typing import Any

import gevent

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.transport.host_client import HostClient

SOURCE = Path(__file__).parent / "host/record.py"
Line = dict[str, Any]


def places(env: Environment) -> list[str]:
    """Hosts that may keep the record, in order of preference: those of the record's group, then all others."""
    names = [host.name for host in (*env.group(str(env.setting.record_group)), *env.hosts)]
    return [name for name in dict.fromkeys(names) if name not in env.left_out]


def read(env: Environment, since: float) -> tuple[list[Line], list[str], list[str]]:
    """(lines since then, places where the chain is broken, hosts that did not answer), from all hosts.

    Runs that could not reach the first host have left their lines on another.
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
    return sorted(lines, key=lambda line: float(line["time"])), broken, silent


def _read(name: str, since: float) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = HostClient(name).act_aside(SOURCE, "read", {"since": since})
    except OperatorError:
        return None
    return found

"""Status: what the environment is like now, against its targets. Asks every host that answers, changes nothing."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import gevent
from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import PyinfraError

from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Report, report
from roles.status import clusters, platform, table
from roles.status.certificate import certificates
from roles.status.line import Answers, Line
from roles.status.plan import ask
from roles.status.redis import redis

FORMATS = ("text", "json")


@deploy("Status")
def status() -> None:
    """Print the status; the run ends with a status other than 0 when a target is missed."""
    report("Status", read)


def read(run: Run) -> Report:
    """The report of a run, from hosts that are asked side by side."""
    env = run.environment
    if env.setting.format not in FORMATS:
        raise OperatorError(f'format="{env.setting.format}" is not known: text or json')
    names = [host.name for host in env.hosts if run.reaches(host.name)]
    asked = {name: gevent.spawn(_ask, run, name) for name in names}
    answers = {name: job.get() for name, job in asked.items()}
    lines = judge(env, answers, time.time())
    missed = tuple(f"{line.area} {line.what}: {line.advice}" for line in lines if line.missed)
    if env.setting.format == "json":
        return Report(
            table.data(env.name, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), lines), missed
        )
    return Report(table.text(lines), missed)


def judge(env: Environment, answers: Answers, now: float) -> list[Line]:
    """All lines, in the order in which things depend on each other."""
    return [
        *platform.hosts(env, answers),
        *platform.disks(env, answers),
        *certificates(env, answers, now),
        *clusters.etcd(env, answers),
        *clusters.postgresql(env, answers),
        *redis(env, answers),
        *clusters.rabbitmq(env, answers),
        *platform.swarm(env, answers),
        *platform.services(env, answers),
        *platform.functional(env, answers),
        *platform.backups(env, answers, now),
    ]


def _ask(run: Run, name: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        return ask(run, name)
    except (OperatorError, PyinfraError) as error:
        return {"host": {"error": str(error)}}

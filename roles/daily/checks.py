"""The checks of a day, as operations.yaml lists them, each asked of the hosts.

What the platform has no part for yet, and what people do among themselves, is said to be so and never passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gevent

from roles.daily import finding
from roles.daily.finding import Found
from roles.kit.environment import Host
from roles.kit.error import OperatorError, nearest
from roles.kit.run import Run
from roles.runbook import Report
from roles.status import clusters, platform, table
from roles.status.certificate import certificates
from roles.status.line import Line
from roles.status.plan import ask
from roles.status.redis import redis

Check = Callable[[Found], Iterable[Line]]
TIMES = ("morning", "evening", "security")
CHECKS: dict[str, Check] = {
    "health-dashboard": lambda f: [*platform.hosts(f.env, f.answers), *platform.swarm(f.env, f.answers)],
    "overnight-alerts": finding.absent("nothing raises alerts yet: this platform has no alert manager"),
    "services-running": lambda f: [*platform.services(f.env, f.answers), *platform.functional(f.env, f.answers)],
    "replication-state": lambda f: [
        *clusters.etcd(f.env, f.answers),
        *clusters.postgresql(f.env, f.answers),
        *redis(f.env, f.answers),
        *clusters.rabbitmq(f.env, f.answers),
    ],
    "resource-use": lambda f: [*platform.disks(f.env, f.answers), *finding.load(f)],
    "error-logs": finding.errors,
    "backup-done": lambda f: platform.backups(f.env, f.answers, f.now),
    "certificate-expiry": lambda f: certificates(f.env, f.answers, f.now),
    "certificate-dates": lambda f: certificates(f.env, f.answers, f.now),
    "config-changes-recorded": finding.record,
    "maintenance-windows": finding.maintenance,
    "security-logs": finding.logins,
    "failed-logins": finding.logins,
    "access-log-errors": finding.access,
    "firewall-rules": finding.firewall,
    "incident-review": finding.people,
    "incident-log": finding.people,
    "on-call-handover": finding.people,
}


def read(run: Run) -> Report:
    """The checks of the time that was asked for, or of all."""
    env, when = run.environment, str(run.environment.setting.which)
    if when and when not in TIMES:
        raise OperatorError(f"which={when} is no time of checks{nearest(when, TIMES)}: {', '.join(TIMES)}")
    listed = env.catalogue.operations.daily_checks
    names = list(dict.fromkeys(name for time_of_day in ([when] if when else TIMES) for name in listed[time_of_day]))
    lines = [*judge(_found(run), names)]
    if when in ("", "security"):
        lines += finding.secrets(env)
    missed = tuple(f"{line.area} {line.what}: {line.advice}" for line in lines if line.missed)
    if env.setting.format == "json":
        return Report(table.data(env.name, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), lines), missed)
    return Report(table.text(lines), missed)


def judge(found: Found, names: Iterable[str]) -> list[Line]:
    """The lines of each check, under its name."""
    lines = []
    for name in names:
        check = CHECKS.get(name, finding.absent("operations.yaml lists it and nothing here knows how to ask it"))
        for line in check(found):
            what = line.what if line.area == name or not line.area else f"{line.area} {line.what}"
            lines.append(Line(name, what, line.value, line.target, line.advice))
    return lines


def _found(run: Run) -> Found:
    """All that is asked, of all hosts side by side."""
    names = [host.name for host in run.environment.hosts if run.reaches(host.name)]
    status = {name: gevent.spawn(_quietly, lambda name=name: ask(run, name)) for name in names}
    own = {name: gevent.spawn(_quietly, lambda name=name: _look(run, run.environment.host(name))) for name in names}
    answers = {name: job.get() for name, job in status.items()}
    seen = {name: job.get() for name, job in own.items()}
    guards = {host.name: _guard(run, host.name) for host in run.environment.group("edge") if run.reaches(host.name)}
    return Found(run.environment, answers, seen, run.kept(), guards, time.time())


def _look(run: Run, host: Host) -> dict[str, Any]:
    parts = ["load", "errors", "logins"]
    parts += ["access"] if "edge" in host.groups else []
    parts += ["record"] if "ops" in host.groups else []
    context = {"access_log": f"{host.setting.nginx_log_directory}/access.log", "record": finding.RECORD}
    found: dict[str, Any] = run.ask_source(host.name, finding.SOURCE, parts, context)
    return found


def _guard(run: Run, name: str) -> list[str]:
    """How the rules that close the router's ports differ from the plan."""
    return [str(change) for change in run.compare(name, "router").changes if "guard" in change.what]


def _quietly(question: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return question()
    except OperatorError as error:
        return {"host": {"error": str(error)}}

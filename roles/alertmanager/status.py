"""Rows about alerts that fire, and where Alertmanager shows its certificate."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, told, unreachable_lines
from roles.alertmanager.plan import asked
from roles.alertmanager.receivers import MAINTENANCE, WATCHDOG
from roles.certificate.door import Door, door

ROWS_MAX = 10
WHOM = ("service", "host", "name")  # the labels that say whom an alert concerns, the first that it has
SETTLED_SECONDS = 120  # from the start of Alertmanager until every alert must have reached it
ORDER = 1  # after the roles' own rows, which say more about the same faults


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Each ops host asks its own Alertmanager."""
    if "ops" not in host.groups:
        return {}
    return {"alerts": asked(host)}


def doors(env: Environment, host: Host) -> list[Door]:
    """For Prometheus on every ops host."""
    return [door(host, "alertmanager", host.setting.alertmanager_port)] if "ops" in host.groups else []


def seconds(text: str) -> float:
    """The moment that Alertmanager writes as 2026-11-30T09:17:22.123Z, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Alerts that fire, once each, whichever Alertmanagers know them."""
    hosts = [host.name for host in env.group("ops")]
    said = told(answers, "alerts", hosts)
    yield from unreachable_lines(answers, "alerts", hosts)
    if not said:
        return
    known = {tuple(sorted(one["labels"].items())): one for answer in said.values() for one in answer["alerts"]}
    firing = [one for one in known.values() if one["labels"]["alertname"] not in (WATCHDOG, MAINTENANCE)]
    firing.sort(key=lambda one: (one["labels"]["severity"], one["labels"]["alertname"], str(one["labels"])))
    if all(now - seconds(answer["since"]) < SETTLED_SECONDS for answer in said.values()):
        yield Row("alerts", "firing", "not known yet: Alertmanager has just started", "none")
    elif not any(one["labels"]["alertname"] == WATCHDOG for one in known.values()):
        advice = "Prometheus sends no alerts: systemctl status prometheus on the ops hosts, then deploys/monitoring.py"
        yield Row("alerts", WATCHDOG, "does not fire", "fires always", advice)
    elif not firing:
        yield Row("alerts", "firing", "none", "none")
    for one in firing[:ROWS_MAX]:
        labels, annotations = one["labels"], one["annotations"]
        whom = next((labels[name] for name in WHOM if name in labels), "")
        what = f"{labels['alertname']} {whom}".strip()
        yield Row("alerts", what, f"{annotations['summary']}, since {one['at'][:16]}", "none", annotations["fix"])
    if len(firing) > ROWS_MAX:
        yield Row("alerts", "firing", f"{len(firing) - ROWS_MAX} more", "none", "fix those above first")

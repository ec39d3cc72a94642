"""What the hosts said for the daily checks, and how it is judged. Pure functions of what was asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roles.kit.environment import Environment
from roles.kit.secrets import Secrets
from roles.secret.rotation import unfinished
from roles.secret.rule import rule_of, unit_of
from roles.status.line import Answers, Line, told

SOURCE = Path(__file__).with_name("look.py")
RECORD = "/var/lib/nexus-cos/record"
REFUSED_MANY = 100  # refused log-ins a day on one host: somebody tries keys or passwords


@dataclass(frozen=True)
class Found:
    """Answers of the status's own questions and of ours by host, what is kept, and the guards that differ."""

    env: Environment
    answers: Answers
    seen: Answers
    kept: Mapping[str, Any]
    guards: Mapping[str, list[str]]
    now: float

    def of(self, part: str) -> dict[str, Mapping[str, Any]]:
        """What each host said of a part of our own."""
        return told(self.seen, part, (host.name for host in self.env.hosts))


def absent(why: str) -> Callable[[Found], list[Line]]:
    """A check that cannot be asked, and says so."""
    return lambda _: [Line("", "not asked", why)]


def people(_: Found) -> list[Line]:
    """What no host knows."""
    return [Line("", "not asked", "for people to do: no host knows of it")]


def load(found: Found) -> Iterator[Line]:
    """Processors and memory of every host against the baselines; the fullest where all are below."""
    figures = found.env.catalogue.operations.baselines
    for what, part in (("cpu", "cpu_percent"), ("memory", "memory_percent")):
        baseline = figures[part]
        shares = sorted(((one[what], name) for name, one in found.of("load").items()), reverse=True)
        for share, name in [one for one in shares if one[0] > baseline.warning] or shares[:1]:
            level = "critical" if share > baseline.critical else "warning"
            advice = f"{level}: see what runs there, or move services by deploys/maintenance.py"
            value, target = f"{share:.0f} %", f"at most {baseline.warning:g} %"
            yield Line("", f"{name} {what}", value, target, advice if share > baseline.warning else "")


def errors(found: Found) -> Iterator[Line]:
    """Error lines of the journals of the last day; critical ones are a target missed."""
    for name, one in found.of("errors").items():
        if not one["count"] and not one["critical"]:
            continue
        units = ", ".join(f"{unit} {count}" for unit, count in one["units"].items())
        advice = f"{one['critical']} critical: journalctl -p crit --since -24h there" if one["critical"] else ""
        yield Line("", name, f"{one['count']} in 24 h: {units}", "none critical", advice)
    if not any(one["count"] for one in found.of("errors").values()):
        yield Line("", "journals", "no error in 24 h", "none critical")


def logins(found: Found) -> Iterator[Line]:
    """Refused log-ins of the last day."""
    for name, one in found.of("logins").items():
        sources = ", ".join(f"{source} {count}" for source, count in one["sources"].items())
        many = one["count"] > REFUSED_MANY
        advice = f"somebody tries: close SSH to {sources or 'where they come from'}" if many else ""
        if one["count"]:
            yield Line("", name, f"{one['count']} refused in 24 h: {sources}", f"at most {REFUSED_MANY}", advice)
    if not any(one["count"] for one in found.of("logins").values()):
        yield Line("", "log-ins", "none refused in 24 h", f"at most {REFUSED_MANY}")


def access(found: Found) -> Iterator[Line]:
    """Answers 5xx at the edge against the error rate's baseline."""
    baseline = found.env.catalogue.operations.baselines["error_rate_percent"]
    for name, one in found.of("access").items():
        share = 100 * one["5xx"] / one["requests"] if one["requests"] else 0.0
        worst = ", ".join(f"{service} {count}" for service, count in one["services"].items())
        advice = f"from {worst}: deploys/logs.py --data service=..." if share > baseline.warning else ""
        value = f"{one['requests']} requests, {one['5xx']} answered 5xx ({share:.2f} %), {one['4xx']} 4xx"
        yield Line("", name, value, f"at most {baseline.warning:g} % 5xx", advice)


def firewall(found: Found) -> Iterator[Line]:
    """The rules that close the router's ports to others, as the plan has them."""
    for name, changes in found.guards.items():
        advice = "run deploys/edge.py, and find out who changed it" if changes else ""
        yield Line("", f"{name} router", "; ".join(changes) or "as planned", "as planned", advice)


def record(found: Found) -> Iterator[Line]:
    """The record of runs that changed something."""
    for name, one in found.of("record").items():
        if not one:
            yield Line("", "not asked", f"{name} has no record of runs")
        else:
            at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one["at"]))
            yield Line("", name, f"{one['lines']} lines, the last of {at} UTC")


def maintenance(found: Found) -> Iterator[Line]:
    """What was taken out of service and not back yet; nothing here is a target missed, somebody meant it."""
    open_now = [(key, value) for key, value in found.kept.items() if key.startswith(("drained ", "maintenance "))]
    for key, value in sorted(open_now):
        yield Line("", key, f"since {value['at']}", "", "")
    if not open_now:
        yield Line("", "windows", "none open")


def secrets(env: Environment) -> Iterable[Line]:
    """Who left and still knows something, and rotations that were not ended."""
    kept: Secrets = env.secrets
    if begun := unfinished(env):
        held = [unit for unit in begun if rule_of(env, unit).hold_minutes]
        advice = "" if len(held) == len(begun) else "run deploys/rotate_secrets.py: it goes on with it"
        yield Line("secrets", "rotation", f"{len(begun)} not ended", "none", advice)
    for one in kept.departed:
        units = {unit_of(name) for name in kept.names() if kept.changed_at(name) <= one["at"]}
        known = [unit for unit in units if rule_of(env, unit).kind != "kept"]
        advice = "deploys/rotate_secrets.py --data secrets=all" if known else ""
        yield Line("secrets", f"known to {one['name']}, who left", f"{len(known)} that can be rotated", "none", advice)
    if not begun and not kept.departed:
        yield Line("secrets", "rotation", "none under way, nobody left", "none")

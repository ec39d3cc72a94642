"""Checks of a day that concern no role: the record of runs, open maintenance, secrets; and what nobody can be asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.role_questions import Part, Parts
from nexus.run.row import Row
from nexus.secrets.store import Secrets
from runbooks.secret.rotation import unfinished
from runbooks.secret.rule import known_at, rule_of

RECORD = "/var/lib/nexus-cos/record"


def question(env: Environment, host: Host) -> Parts:
    """Hosts that keep the record of runs are asked for it."""
    keeps = host in env.group(str(env.setting.record_group))
    return {"record": Part("runbooks.daily.host.record", {"record": RECORD})} if keeps else {}


def absent(why: str) -> Check:
    """A check that cannot be asked, and says so."""
    return lambda _: [Row("", "not asked", why)]


def people(_: Found) -> list[Row]:
    """What no host knows."""
    return [Row("", "not asked", "for people to do: no host knows of it")]


def record(found: Found) -> Iterator[Row]:
    """The record of runs that changed something."""
    for name, one in found.of("record").items():
        if not one:
            yield Row("", "not asked", f"{name} has no record of runs")
        else:
            at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one["at"]))
            yield Row("", name, f"{one['lines']} lines, the last of {at} UTC")


def maintenance(found: Found) -> Iterator[Row]:
    """What was taken out of service and not back yet; nothing here is a target missed, somebody meant it."""
    open_now = [(key, value) for key, value in found.kept.items() if key.startswith(("drained ", "maintenance "))]
    for key, value in sorted(open_now):
        yield Row("", key, f"since {value['at']}", "", "")
    if not open_now:
        yield Row("", "windows", "none open")


def secrets(env: Environment) -> Iterable[Row]:
    """Who left and still knows something, and rotations that were not ended."""
    kept: Secrets = env.secrets
    if begun := unfinished(env):
        held = [unit for unit in begun if rule_of(env, unit).hold_minutes]
        advice = "" if len(held) == len(begun) else "run deploys/rotate_secrets.py: it goes on with it"
        yield Row("secrets", "rotation", f"{len(begun)} not ended", "none", advice)
    for one in kept.departed:
        known, _ = known_at(env, one["at"])
        advice = "deploys/rotate_secrets.py --data secrets=all" if known else ""
        yield Row("secrets", f"known to {one['name']}, who left", f"{len(known)} that can be rotated", "none", advice)
    if not begun and not kept.departed:
        yield Row("secrets", "rotation", "none under way, nobody left", "none")


UNKNOWN = absent("operations.yaml lists it and nothing here knows how to ask it")
CHECKS: dict[str, Check] = {
    "overnight-alerts": absent("nothing raises alerts yet: this platform has no alert manager"),
    "config-changes-recorded": record,
    "maintenance-windows": maintenance,
    "incident-review": people,
    "incident-log": people,
    "on-call-handover": people,
}

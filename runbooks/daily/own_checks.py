"""Daily checks that belong to no role: the audit record, open maintenance, secrets; and checks without an answer."""

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
    """Ask the hosts that keep the audit record for it."""
    keeps = host in env.group(str(env.setting.record_group))
    return {"record": Part("runbooks.daily.host.record", {"record": RECORD})} if keeps else {}


def absent(why: str) -> Check:
    """A check that has no answer, and gives the reason."""
    return Check(lambda _: [Row("", "not asked", why)])


def record(found: Found) -> Iterator[Row]:
    """The audit record: its lines, and the last of them."""
    for name, one in found.of("record").items():
        if not one:
            yield Row("", "not asked", f"{name} has no record of runs")
        else:
            at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one["at"]))
            yield Row("", name, f"{one['lines']} lines, the last at {at} UTC")


def maintenance(found: Found) -> Iterator[Row]:
    """Open maintenance. It is intended, so none of it counts as a missed target."""
    open_now = [(key, value) for key, value in found.kept.items() if key.startswith(("drained ", "maintenance "))]
    for key, value in sorted(open_now):
        yield Row("", key, f"since {value['at']}", "", "")
    if not open_now:
        yield Row("", "windows", "none open")


def secrets(env: Environment) -> Iterable[Row]:
    """Secrets that people who left still know, and unfinished rotations."""
    kept: Secrets = env.secrets
    if begun := unfinished(env):
        held = [unit for unit in begun if rule_of(env, unit).hold_minutes]
        advice = "" if len(held) == len(begun) else "run deploys/rotate_secrets.py: it continues the rotation"
        yield Row("secrets", "rotation", f"{len(begun)} unfinished", "none", advice)
    for one in kept.departed:
        known, _ = known_at(env, one["at"])
        advice = "deploys/rotate_secrets.py --data secrets=all" if known else ""
        yield Row("secrets", f"known to {one['name']}, who left", f"{len(known)} can be rotated", "none", advice)
    if not begun and not kept.departed:
        yield Row("secrets", "rotation", "none in progress, no former reader", "none")


UNKNOWN = absent("operations.yaml lists it, but no role or runbook implements it")
PEOPLE = absent("a task for people: no host can answer it")
CHECKS: dict[str, Check] = {
    "config-changes-recorded": Check(record, reads=("record",)),
    "maintenance-windows": Check(maintenance, kept=True),
    "incident-review": PEOPLE,
    "incident-log": PEOPLE,
    "on-call-handover": PEOPLE,
}

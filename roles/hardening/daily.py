"""Daily checks of hardening: measures that are not in force, that were taken back, and what scanners found."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from nexus.run.run import Run
from roles.hardening.finding import explained
from roles.hardening.measures import MEASURES, measures, taken_back
from roles.hardening.scan import FOUND, UNIT

OLD = timedelta(days=14)
SERIOUS = ("warning", "fail", "warn")


def question(env: Environment, host: Host) -> dict[str, Any]:
    """The last scan, where a host is scanned."""
    return {"scan": {"file": FOUND}} if MEASURES["scan"] in measures(env, host) else {}


def differences(run: Run, host: Host) -> dict[str, Any]:
    """How a host differs from its measures."""
    return {"differs": [str(change) for change in run.hosts.compare(host.name, "hardening").changes]}


def in_force(found: Found) -> Iterator[Row]:
    """Measures that a host has not as planned, and those that it does without."""
    for name, own in found.of("hardening").items():
        for differing in own["differs"]:
            yield Row("", name, differing, "as planned", "run deploys/hardening.py, and find out who changed it")
        for taken in taken_back(found.env.host(name)):
            advice = "" if taken.why else f'say why in hardening_except: "{taken.measure.name}: reason"'
            yield Row("", f"{name} {taken.measure.name}", f"taken back: {taken.why or 'no reason'}", "", advice)
        if not own["differs"]:
            yield Row("", name, f"{len(measures(found.env, found.env.host(name)))} measures", "as planned")


def scans(found: Found) -> Iterator[Row]:
    """What the last scan found and nothing explains, and Lynis's figure."""
    for name, last in found.of("scan").items():
        if not last:
            yield Row("", name, "not scanned yet", "", "")
            continue
        old = found.now - last["at"] > OLD.total_seconds()
        days = (found.now - last["at"]) / 86400
        yield Row("", name, f"Lynis {last['index']} of 100, {days:.0f} days ago", f"at most {OLD.days} days",
                  f"systemctl start {UNIT} there" if old else "")  # fmt: skip
        for kind, what, text in last["findings"]:
            why = explained(found.env, found.env.host(name), what, text)
            if kind in SERIOUS or not why:
                advice = "" if why else "fix it, or give the reason in roles/hardening/finding.py"
                yield Row("", f"{name} {what}", text, "", advice)


OBSERVED = {"hardening": differences}
CHECKS = {"hardening": Check(in_force, reads=("hardening",)), "security-scan": Check(scans, reads=("scan",))}

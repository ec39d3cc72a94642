"""Daily checks of updates: those that wait, and reboots that are due."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row
from roles.apt.host.pending import Update, waits
from roles.apt.plan import in_order

UPDATE = "pyinfra inventory deploys/update.py"


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every host is asked."""
    return {"updates": {}}


def updates(found: Found) -> Iterator[Row]:
    """Security updates that only a person installs; those that hosts install by themselves miss no target."""
    for name, own in found.of("updates").items():
        waiting = [Update(**one) for one in own["updates"]]
        security = [one.name for one in waiting if one.security]
        by_itself = found.env.host(name).setting.apt_security_updates
        by_a_person = [one for one in security if not by_itself or waits(one, in_order())]
        what = f"{', '.join(security) or 'none'}; {len(waiting) - len(security)} other updates"
        yield Row("", name, what, "no security updates wait for a person",
                  f"{UPDATE} --data host={name}" if by_a_person else "")  # fmt: skip


def reboots(found: Found) -> Iterator[Row]:
    """Hosts that need a reboot, and why."""
    due = {name: own["reboot"] for name, own in found.of("updates").items() if own["reboot"]}
    for name, why in due.items():
        yield Row("", name, f"due: {', '.join(why)}", "no reboot is due", f"{UPDATE} --data host={name}")
    if not due:
        yield Row("", "all hosts", "none", "no reboot is due")


CHECKS = {"security-updates": Check(updates, reads=("updates",)), "reboots-due": Check(reboots, reads=("updates",))}

"""Runs on a host: updates that wait, and why a reboot is due. Changes nothing."""

from typing import Any

from roles.apt.host.pending import pending, waits
from roles.base.host.metrics import reboot_reasons


def updates(context: dict[str, Any]) -> dict[str, Any]:
    """Names of security updates, of those that wait for a person, and the number of all others."""
    found = pending()
    security = [one.name for one in found if one.security]
    waiting = [name for name in security if not context["on"] or waits(name, context["in_order"])]
    reboot = reboot_reasons()
    return {"security": security, "waiting": waiting, "others": len(found) - len(security), "reboot": reboot}


PARTS = {"updates": updates}

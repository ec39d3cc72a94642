"""Runs on a host: starts the work of a timer now, with its own arguments."""

from typing import Any

from nexus.agent.lib import run
from roles.backup.host.paths import LIBRARY


def start(context: dict[str, Any]) -> None:
    """Start a transient unit of this name, so that the unit of the timer stays as it is."""
    if failed(context["unit"]):
        run(["systemctl", "reset-failed", context["unit"]])
    argv = ["systemd-run", "--quiet", f"--unit={context['unit']}", "--property=Type=exec", "--property=UMask=0077"]
    argv += [f"--setenv=PYTHONPATH={LIBRARY}", "--setenv=PYTHONDONTWRITEBYTECODE=1"]
    run([*argv, "/usr/bin/python3", "-X", "utf8", "-m", "roles.backup.host.main", *context["words"].split()])


def failed(unit: str) -> bool:
    """Whether an earlier run left a failed unit of this name."""
    return "ActiveState=failed" in run(["systemctl", "show", "--property=ActiveState", unit])

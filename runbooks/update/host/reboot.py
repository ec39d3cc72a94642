"""Runs on a host: reboots it, and tells one boot from another. Standard library only."""

import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import run
from roles.base.host.metrics import reboot_reasons

BOOT = "/proc/sys/kernel/random/boot_id"


def begin(context: Mapping[str, Any]) -> None:
    """Reboot in two seconds: this answer must still arrive."""
    os.sync()
    run(["systemd-run", "--quiet", "--on-active=2s", "--timer-property=AccuracySec=100ms", "systemctl", "reboot"])


def state(context: Mapping[str, Any]) -> dict[str, Any]:
    """The id of this boot, and why another one is due."""
    with open(BOOT, errors="replace") as stream:
        return {"boot": stream.read().strip(), "reboot": reboot_reasons()}

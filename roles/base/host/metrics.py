"""Runs on a host: what node exporter does not say, as metrics. Changes nothing."""

import glob
import os
import time
from collections.abc import Iterator

from nexus.agent.metrics import Sample

REQUIRED = "/run/reboot-required"  # packages that need a reboot make it
KERNELS = "/boot/vmlinuz-*"


def samples(words: list[str]) -> Iterator[Sample]:
    """For how many seconds the host has needed a reboot; 0 if it needs none."""
    found = since()
    yield "nexus_reboot_required_seconds", {}, max(0.0, time.time() - found) if found else 0.0


def since() -> float:
    """When the first reason for a reboot came, in seconds since 1970; 0 if there is none."""
    return min(map(os.path.getmtime, reasons()), default=0.0)


def reboot_reasons() -> list[str]:
    """Names of the files that tell of a due reboot."""
    return [os.path.basename(path) for path in reasons()]


def reasons() -> list[str]:
    """Files that tell of a due reboot: that of a package, or a kernel newer than the running one."""
    found = [path for path in (REQUIRED,) if os.path.exists(path)]
    newest = max(glob.glob(KERNELS), key=os.path.getmtime, default="")
    if newest and not newest.endswith(f"-{os.uname().release}") and os.path.getmtime(newest) > _booted():
        found.append(newest)
    return found


def _booted() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

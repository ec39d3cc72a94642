"""Faults that make an alert fire, set on real hosts: what is done, how it is undone, and what the alert names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FAILED_UNIT = "nexus-test-failed"


@dataclass(frozen=True)
class AlertFault:
    """Commands for the first host of `group`, as root. `about` is the host or service that the alert names.

    `cheap` faults run in `make test`. Faults of one `batch` are set at the same time.
    """

    alert: str
    group: str
    begin: str
    undo: str
    about: str = ""  # empty: that host
    cheap: bool = False
    batch: int = 0


FAULTS: Sequence[AlertFault] = (
    AlertFault(
        "TargetDown",
        "app",
        "systemctl stop prometheus-node-exporter",
        "systemctl start prometheus-node-exporter",
        cheap=True,
    ),
    AlertFault(
        "UnitFailed",
        "ops",
        f"systemd-run --unit={FAILED_UNIT} false",
        f"systemctl reset-failed {FAILED_UNIT}",
        cheap=True,
    ),
)

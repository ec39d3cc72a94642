"""Where each host stands in an update: a record on the host, so that any controller can continue. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from roles.apt.host.state import DONE, WAITING

LEAVING, CHANGING, RETURNING = "leaves", "changes", "returns"  # steps of a host, between WAITING and DONE
RESUME_SECONDS = 86400.0  # a record that is older belongs to an update that nobody continues


@dataclass(frozen=True)
class Record:
    """`update` is the order that the host belongs to, `at` when its step began, `drained` whether it takes no tasks."""

    update: str
    step: str
    at: str
    drained: bool = False
    rebooted: bool = False

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Record | None:
        """The record of a host; None if it has none, or none that is known here."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        return cls(**known) if {"update", "step", "at"} <= known.keys() else None

    @property
    def unfinished(self) -> bool:
        """Whether the host was left in the middle of its visit."""
        return self.step not in (WAITING, DONE)

    def value(self) -> dict[str, Any]:
        """As it is written on the host."""
        return asdict(self)

    def at_step(self, step: str, now: datetime, drained: bool = False, rebooted: bool = False) -> Record:
        """The record of the next step."""
        return replace(
            self, step=step, at=now.isoformat(timespec="seconds"), drained=drained, rebooted=self.rebooted or rebooted
        )


def resumed(records: Mapping[str, Record | None], wanted: str, now: datetime) -> str:
    """The order that a run continues, empty if it begins one: the same wish, not finished on every host.

    An order is named by its wish and the time of its begin, such as "security=true reboot=needed 2026-11-30T09:00".
    """
    open_now = [one for one in records.values() if one and one.step != DONE and _young(one, now)]
    orders = {one.update for one in open_now if one.update.rpartition(" ")[0] == wanted}
    return max(orders, key=lambda order: order.rpartition(" ")[2], default="")


def _young(record: Record, now: datetime) -> bool:
    return (now - datetime.fromisoformat(record.at)).total_seconds() < RESUME_SECONDS

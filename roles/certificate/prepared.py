"""Leaves of the periods to come, so that a host renews by its own clock while no run comes by.

A run asks for them by their identity alone; they are signed when a host lacks them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roles.kit.authority import DAY_SECONDS, FORMAT, PERIODS, Authority
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.model import State

ITEM = "prepared leaves"
KEPT = 0.75  # of what a run prepares: it prepares again once less than that is left
MOST = 1000  # leaves of a host, of 1.3 KB and 2 ms each
SOURCE = Path(__file__).with_name("remote.py")
LIBRARIES = ("roles.certificate.stock",)


@dataclass(frozen=True)
class Pair:
    """The files of a leaf on a host, the group that reads its key, and for which names it is made by whom."""

    certificate: str
    key: str
    group: str
    authority: Authority
    names: tuple[str, ...]


def state(env: Environment, pairs: Sequence[Pair], others: Sequence[str]) -> State:
    """The leaves that these pairs of files will hold, in one file on their host; `others` are renewed by others."""
    stock = Stock(pairs, others, seconds(env))
    return State(
        "certificate",
        SOURCE,
        {ITEM: {"identity": stock.identity, "lasts": True}},
        context={"seconds": KEPT * seconds(env)},
        payload=stock,
        libraries=LIBRARIES,
        before_units=True,
    )


def seconds(env: Environment) -> float:
    """For how long leaves are prepared; OperatorError for less than one leaf or too many."""
    days, period = float(env.setting.certificate_prepared_days), int(env.setting.certificate_period_seconds)
    found = days * DAY_SECONDS
    if not period <= found <= MOST * period:
        raise OperatorError(
            f"certificate_prepared_days is {days:g} and certificate_period_seconds is {period}: these are "
            f"{found / period:.0f} leaves for each host. Choose {period / DAY_SECONDS:g} to "
            f"{MOST * period / DAY_SECONDS:g} days, which are 1 to {MOST} leaves"
        )
    return found


class Stock(Mapping[str, Any]):
    """What is sent to a host, made when it is asked for: content of the file that stock.py describes."""

    def __init__(self, pairs: Sequence[Pair], others: Sequence[str], seconds: float) -> None:
        self._pairs, self._others, self._seconds = pairs, list(others), seconds
        self.identity = _identity(pairs, others)
        self._made: dict[str, Callable[[], Any]] = {
            "identity": lambda: self.identity,
            "final": self._final,
            "pairs": lambda: [_pair(pair, self._seconds) for pair in self._pairs],
            "others": lambda: self._others,
        }

    def __getitem__(self, name: str) -> Any:
        return self._made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def _final(self) -> bool:
        """Whether an authority ends before leaves for all of the time can be made."""
        now = dt.datetime.now(dt.UTC)
        wanted = [self._seconds + PERIODS * pair.authority.period_seconds for pair in self._pairs]
        left = [(pair.authority.ends - now).total_seconds() for pair in self._pairs]
        return any(has < needs for has, needs in zip(left, wanted, strict=True))


def _identity(pairs: Sequence[Pair], others: Sequence[str]) -> str:
    named = [
        [pair.certificate, pair.key, pair.group, pair.authority.certificate, pair.authority.period_seconds, pair.names]
        for pair in pairs
    ]
    return hashlib.sha256(json.dumps([FORMAT, named, list(others)]).encode()).hexdigest()


def _pair(pair: Pair, seconds: float) -> dict[str, Any]:
    leaves = [
        {
            "begins": int(leaf.begins.timestamp()),
            "ends": int(leaf.expires.timestamp()),
            "certificate": leaf.certificate,
            "key": leaf.key,
        }
        for leaf in pair.authority.leaves(pair.names, seconds)
    ]
    return {"certificate": pair.certificate, "key": pair.key, "group": pair.group, "leaves": leaves}

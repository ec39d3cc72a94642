"""Leaves of coming periods, so that a host renews its leaf by its own clock, without a run.

A probe compares only their identity; they are signed when a host lacks them.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.pki.ca import DAY_SECONDS, FORMAT, PERIODS, Authority
from nexus.plan.desired import State
from nexus.plan.lazy import Lazy

ITEM = "prepared leaves"
KEPT = 0.75  # share of the prepared time: a run prepares leaves again once less than this is left
MOST = 1000  # the most leaves of a host, of 1.3 KB and 2 ms each
SOURCE = Path(__file__).parent / "host/state.py"


@dataclass(frozen=True)
class Pair:
    """The files of a leaf on a host, the group that reads its key, its authority, and the names in it."""

    certificate: str
    key: str
    group: str
    authority: Authority
    names: tuple[str, ...]


def state(env: Environment, pairs: Sequence[Pair], others: Sequence[str]) -> State:
    """The leaves that these pairs of files will hold, in one file on the host. Others renew the files `others`."""
    identity = _identity(pairs, others)
    return State(
        "certificate",
        SOURCE,
        {ITEM: {"identity": identity, "lasts": True}},
        context={"seconds": KEPT * seconds(env)},
        payload=stock(identity, pairs, others, seconds(env)),
        before_units=True,
    )


def seconds(env: Environment) -> float:
    """How long leaves are prepared for; OperatorError for less than one leaf or too many."""
    days, period = float(env.setting.certificate_prepared_days), int(env.setting.certificate_period_seconds)
    found = days * DAY_SECONDS
    if not period <= found <= MOST * period:
        raise OperatorError(
            f"certificate_prepared_days is {days:g} and certificate_period_seconds is {period}: that makes "
            f"{found / period:.0f} leaves for each host. Choose {period / DAY_SECONDS:g} to "
            f"{MOST * period / DAY_SECONDS:g} days, which makes 1 to {MOST} leaves"
        )
    return found


def stock(identity: str, pairs: Sequence[Pair], others: Sequence[str], seconds: float) -> Lazy[Any]:
    """The payload for a host: the content of the file that host/stock.py describes."""
    made: dict[str, Callable[[], Any]] = {
        "identity": lambda: identity,
        "final": lambda: _final(pairs, seconds),
        "pairs": lambda: [_pair(pair, seconds) for pair in pairs],
        "others": lambda: list(others),
    }
    return Lazy(made)


def _final(pairs: Sequence[Pair], seconds: float) -> bool:
    """Whether an authority ends too early to sign leaves for the whole time."""
    now = dt.datetime.now(dt.UTC)
    wanted = [seconds + PERIODS * pair.authority.period_seconds for pair in pairs]
    left = [(pair.authority.ends - now).total_seconds() for pair in pairs]
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

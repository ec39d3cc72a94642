"""When the certificate is renewed, and when an authority may be asked again after it refused."""

from collections.abc import Mapping
from typing import Any

from roles.acme.host.renewer.leaf import Leaf, share

FIRST_SECONDS = 900  # after a first failure: authorities allow five an hour for each name
LONGEST_SECONDS = 6 * 3600
JITTER = 50  # renewals are spread over a fiftieth of the life, so that environments do not all renew at one time
STAND_BY = 60  # a stand-by orders a sixtieth of the life later than the ops host before it
STAND_BY_SECONDS = 600  # but never less than this; without a certificate, exactly this

Record = Mapping[str, Any]


def due(leaf: Leaf | None, record: Record, names: frozenset[str], rank: int, now: float) -> tuple[float, str]:
    """When a certificate must be ordered by this host, in seconds since 1970, and the reason.

    `rank` is 0 for the first ops host. Others act only if it did not, so they need no agreement.
    """
    life = leaf.life if leaf else 0.0
    late = rank * max(STAND_BY_SECONDS, life / STAND_BY)
    if leaf is None or leaf.ends <= now:
        return float(record.get("lacking_since", now)) + late, "there is no certificate"
    if leaf.names != names:
        return float(record.get("lacking_since", now)) + late, "its names differ from the settings"
    told = record.get("information", {})
    if told.get("serial") == leaf.serial:
        start, end = told["start"], told["end"]
        return float(start + share(leaf.serial) * (end - start) + late), "the authority recommends it"
    return leaf.ends - life / 3 - share(leaf.serial) * life / JITTER + late, "two thirds of its life are over"


def again(failures: int, now: float, asked: float = 0) -> float:
    """When to ask an authority again after so many failures in a row; `asked` are seconds that it wants to wait."""
    wait: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** max(0, failures - 1))
    return now + max(wait, asked)

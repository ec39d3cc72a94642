"""Runs on a host: the leaves that were prepared for it, and which of them is due.

The file is {"identity", "final", "pairs", "others", "sha256"}: whose leaves these are, whether the authority ends with
them, the pairs, further files that daemons take and that others renew, and a digest of all that. A pair is
{"certificate", "key", "group", "leaves"}: two paths, the group that reads the key, and [{"begins", "ends",
"certificate", "key"}] in order, seconds since 1970 and PEM.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any

from nexus.agent.lib import RemoteError

PREPARED = "/etc/nexus-cos/tls/prepared.json"
PERIODS = 3  # that a leaf lives for, as nexus/pki/ca.py makes them
REMEDY = "run deploys/base.py, which prepares leaves"

Leaf = Mapping[str, Any]


def seal(content: Mapping[str, Any]) -> bytes:
    """The file of this content, which lacks the digest."""
    return json.dumps({**content, "sha256": _digest(content)}).encode()


def read() -> dict[str, Any]:
    """The file's content; RemoteError where it is missing, damaged or open to others."""
    path = PREPARED
    try:
        with open(path, "rb") as stream:
            about = os.fstat(stream.fileno())
            found: dict[str, Any] = json.load(stream)
        sound = found.pop("sha256") == _digest(found)
    except FileNotFoundError:
        raise RemoteError(f"{path} is missing: {REMEDY}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise RemoteError(f"{path} is damaged: {REMEDY}")
    if stat.S_IMODE(about.st_mode) != 0o600 or about.st_uid != os.geteuid():
        raise RemoteError(f"{path} is open to others or not root's: {REMEDY}")
    return found


def due(leaves: Sequence[Leaf], now: float) -> Leaf | None:
    """The leaf of the period that has begun last; None before the first and after the last period."""
    begun = [leaf for leaf in leaves if leaf["begins"] <= now]
    return begun[-1] if begun and now < renewed(begun[-1]) else None


def renewed(leaf: Leaf) -> float:
    """When a leaf's period ends, which is long before the leaf does."""
    return float(leaf["begins"] + (leaf["ends"] - leaf["begins"]) / PERIODS)


def until(stock: Mapping[str, Any]) -> float:
    """When the last leaf ends, of the pair whose last leaf ends first."""
    return float(min((pair["leaves"][-1]["ends"] if pair["leaves"] else 0) for pair in stock["pairs"]))


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""Certificates that were signed, kept for the next run: they are public, and it would sign the same bytes again.

To sign takes 2 ms of every host in every run, and what signs 16 ms to be imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cryptography import __version__

from roles.kit import cached

FILE = "certificates.json"
MOST = 500  # the oldest are dropped


def once(identity: bytes, sign: Callable[[], str]) -> str:
    """The certificate of this identity, which names all that decides what it says and who signs it."""
    name = hashlib.sha256(identity).hexdigest()
    kept = _kept()
    if name not in kept:
        kept[name] = sign()
        recent = dict([*kept.items()][-MOST:])
        cached.write(FILE, _inputs(), json.dumps(recent, separators=(",", ":")).encode())
    return kept[name]


@cache
def _kept() -> dict[str, str]:
    found: dict[str, str] = json.loads(cached.read(FILE, _inputs()) or b"{}")
    return found


@cache
def _inputs() -> str:
    """Stands for the code that decides what a certificate says."""
    own = [Path(__file__).with_name(name).read_bytes() for name in ("authority.py", "signing.py")]
    return hashlib.sha256(b"".join([*own, __version__.encode()])).hexdigest()

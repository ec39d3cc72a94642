"""The internal certificate authority of an environment.

The authority's key is a secret; everything else follows from it. A leaf's key and certificate are a
pure function of the authority, the names and the period of the calendar, so a second run makes the
same bytes, nothing but the authority has to be kept, and a new period is a renewal: certificates
live for three periods and are replaced after one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from roles.kit import signed

if TYPE_CHECKING:
    from roles.kit.signing import Signer

AUTHORITY_DAYS = 3650
RENEW_DAYS = 30
LEAF_DAYS = 3 * RENEW_DAYS
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key, both PEM."""

    certificate: str
    key: str
    expires: dt.datetime


@dataclass(frozen=True)
class Authority:
    """A certificate authority; `key` and `certificate` are PEM."""

    key: str
    certificate: str

    @classmethod
    def create(cls, name: str) -> Authority:
        """A new authority for the environment of this name."""
        from roles.kit.signing import root

        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        begin = now - dt.timedelta(days=LEAF_DAYS)  # leaves begin at their period's start
        key, certificate = root(f"Nexus COS {name} internal CA", begin, now + dt.timedelta(days=AUTHORITY_DAYS))
        return cls(_pem(key), certificate)

    @cached_property
    def _signer(self) -> Signer:
        from roles.kit.signing import Signer  # 16 ms

        return Signer(self.key, self.certificate)

    def leaf(self, names: Iterable[str], today: dt.date | None = None) -> Leaf:
        """A server and client certificate for these host names and addresses; the first is its subject.

        OperatorError where the authority's key is not that of its certificate.
        """
        wanted = list(dict.fromkeys(names))
        begin = _period_start(wanted[0], today or dt.datetime.now(dt.UTC).date())
        end = begin + dt.timedelta(days=LEAF_DAYS)
        identity = f"{','.join(wanted)} {begin.isoformat()}".encode()
        key = self._derive_key(identity)

        def sign() -> str:
            serial = int.from_bytes(hashlib.sha256(self.certificate.encode() + identity).digest()[:16]) >> 1
            return self._signer.leaf(wanted, key.public_key(), serial, begin, end)

        return Leaf(signed.once(f"{self.key}{self.certificate}".encode() + identity, sign), _pem(key), end)

    def _derive_key(self, identity: bytes) -> ec.EllipticCurvePrivateKey:
        seed = hashlib.sha256(self.key.encode()).digest()
        stream = HKDF(hashes.SHA256(), 48, salt=None, info=b"nexus-cos leaf " + identity).derive(seed)
        return ec.derive_private_key(int.from_bytes(stream) % (P256_ORDER - 1) + 1, ec.SECP256R1())


def _period_start(name: str, today: dt.date) -> dt.datetime:
    """Start of the renewal period; shifted by the name, so that not all hosts renew on one day."""
    shift = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % RENEW_DAYS
    day = today.toordinal()
    start = dt.date.fromordinal(day - (day + shift) % RENEW_DAYS)
    return dt.datetime(start.year, start.month, start.day, tzinfo=dt.UTC)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()

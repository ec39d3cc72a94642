"""The internal certificate authority of an environment.

The authority's key is a secret; everything else follows from it. A leaf's key and certificate are a
pure function of the authority, the names and the calendar period. So a second run makes the same bytes,
only the authority must be stored, and leaves of future periods can be made in advance. A new period is a
renewal: certificates are valid for three periods and are replaced after one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nexus.error import OperatorError
from nexus.pki.x509 import Signer, root

AUTHORITY_DAYS = 3650
DAY_SECONDS = 86400
RENEW_DAYS = 30
PERIOD_SECONDS = RENEW_DAYS * DAY_SECONDS
PERIODS = 3  # for which a leaf is valid
LEAF_DAYS = PERIODS * RENEW_DAYS
LEAST_SECONDS = 90  # RabbitMQ reads a new leaf up to two minutes late, and three periods must outlast that
MOST_SECONDS = LEAF_DAYS * DAY_SECONDS  # an authority begins this long before its environment, and no leaf earlier
EPOCH_ORDINAL = 719_163  # day 1 of the proleptic calendar is 1 January of the year 1
FORMAT = 1  # increment when the same identity gets other bytes, so that hosts do not return to older leaves
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key, both PEM."""

    certificate: str
    key: str
    begins: dt.datetime
    expires: dt.datetime


@dataclass(frozen=True)
class Authority:
    """A certificate authority; `key` and `certificate` are PEM, `period_seconds` is when a leaf is replaced."""

    key: str
    certificate: str
    period_seconds: int = PERIOD_SECONDS

    def __post_init__(self) -> None:
        if not LEAST_SECONDS <= self.period_seconds <= MOST_SECONDS:
            raise OperatorError(
                f"certificate_period_seconds is {self.period_seconds}: a certificate is valid for {PERIODS} periods "
                f"and is replaced after one. Choose {LEAST_SECONDS} (for tests) to {MOST_SECONDS}, such as "
                f"{PERIOD_SECONDS}, which is 30 days"
            )

    @classmethod
    def create(cls, name: str) -> Authority:
        """A new authority for the environment of this name."""
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        begin = now - dt.timedelta(days=LEAF_DAYS)  # leaves begin at their period's start
        key, certificate = root(f"Nexus COS {name} internal CA", begin, now + dt.timedelta(days=AUTHORITY_DAYS))
        return cls(_pem(key), certificate)

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self.key, self.certificate)

    def leaf(self, names: Iterable[str], now: dt.datetime | None = None) -> Leaf:
        """A server and client certificate for these host names and addresses; the first is its subject.

        OperatorError if the authority's key does not match its certificate.
        """
        wanted = list(dict.fromkeys(names))
        return self._leaf(wanted, self._period_start(wanted[0], now or dt.datetime.now(dt.UTC)))

    def leaves(self, names: Iterable[str], seconds: float, now: dt.datetime | None = None) -> Iterator[Leaf]:
        """The current leaf and those of periods that begin within `seconds`, as `leaf` will make them then.

        None of them outlives the authority.
        """
        wanted, moment = list(dict.fromkeys(names)), now or dt.datetime.now(dt.UTC)
        period = dt.timedelta(seconds=self.period_seconds)
        begin, last = self._period_start(wanted[0], moment), moment + dt.timedelta(seconds=seconds)
        while begin <= last and begin + PERIODS * period <= self._signer.ends:
            yield self._leaf(wanted, begin)
            begin += period

    @property
    def ends(self) -> dt.datetime:
        """When the authority's own certificate ends."""
        return self._signer.ends

    def _leaf(self, names: list[str], begin: dt.datetime) -> Leaf:
        end = begin + dt.timedelta(seconds=PERIODS * self.period_seconds)
        identity = self._identity(names, begin)
        key = self._derive_key(identity)
        serial = int.from_bytes(hashlib.sha256(self.certificate.encode() + identity).digest()[:16]) >> 1
        return Leaf(self._signer.leaf(names, key.public_key(), serial, begin, end), _pem(key), begin, end)

    def _identity(self, names: list[str], begin: dt.datetime) -> bytes:
        """Everything that tells a leaf from the authority's other leaves. The usual period is left out."""
        period = "" if self.period_seconds == PERIOD_SECONDS else f" {self.period_seconds}"
        return f"{','.join(names)} {begin.isoformat()}{period}".encode()

    def _period_start(self, name: str, now: dt.datetime) -> dt.datetime:
        """Start of the renewal period; shifted by the name, so that hosts do not all renew at the same time.

        Counted from the year 1; a period of whole days begins at midnight (UTC).
        """
        period = self.period_seconds
        unit = 1 if period % DAY_SECONDS else DAY_SECONDS
        shift = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % (period // unit) * unit
        second = int(now.timestamp()) + EPOCH_ORDINAL * DAY_SECONDS
        return dt.datetime.fromtimestamp(int(now.timestamp()) - (second + shift) % period, dt.UTC)

    def _derive_key(self, identity: bytes) -> ec.EllipticCurvePrivateKey:
        seed = hashlib.sha256(self.key.encode()).digest()
        stream = HKDF(hashes.SHA256(), 48, salt=None, info=b"nexus-cos leaf " + identity).derive(seed)
        return ec.derive_private_key(int.from_bytes(stream) % (P256_ORDER - 1) + 1, ec.SECP256R1())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

"""Certificates and their keys: new requests, and the facts about a certificate."""

import base64
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nexus.agent.lib import RemoteError


@dataclass(frozen=True)
class Leaf:
    """A certificate: `serial` in hexadecimal, times in seconds since 1970, `identifier` as RFC 9773 names it."""

    serial: str
    names: frozenset[str]
    issuer: str
    begins: float
    ends: float
    identifier: str

    @property
    def life(self) -> float:
        """How long it is valid, in seconds."""
        return self.ends - self.begins


def leaf_of(certificate: x509.Certificate) -> Leaf:
    """The facts about a certificate."""
    names: frozenset[str] = frozenset()
    with contextlib.suppress(x509.ExtensionNotFound):
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = frozenset(found.value.get_values_for_type(x509.DNSName))
    return Leaf(
        serial=f"{certificate.serial_number:x}",
        names=names,
        issuer=certificate.issuer.rfc4514_string(),
        begins=certificate.not_valid_before_utc.timestamp(),
        ends=certificate.not_valid_after_utc.timestamp(),
        identifier=_identifier(certificate),
    )


def from_pem(chain: str) -> Leaf:
    """The facts about the first certificate of a PEM chain."""
    return leaf_of(x509.load_pem_x509_certificate(chain.encode()))


def from_der(data: bytes) -> Leaf:
    """The facts about a certificate as a server shows it."""
    return leaf_of(x509.load_der_x509_certificate(data))


def subject(pem: str) -> str:
    """The name of an authority's certificate, as its leaves name their issuer."""
    return x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()


def new_key() -> str:
    """A new ECDSA P-256 key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def request(key: str, names: Sequence[str]) -> bytes:
    """A certificate signing request, PEM."""
    loaded = serialization.load_pem_private_key(key.encode(), password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    built = builder.add_extension(alternatives, critical=True).sign(loaded, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM)


def check(chain: str, key: str, names: Sequence[str], now: float) -> None:
    """RemoteError where a certificate is not the one that was ordered."""
    certificate = x509.load_pem_x509_certificate(chain.encode())
    found = leaf_of(certificate)
    loaded = serialization.load_pem_private_key(key.encode(), password=None)
    if certificate.public_key() != loaded.public_key():
        raise RemoteError("the authority sent a certificate for another key")
    if found.names != frozenset(names):
        raise RemoteError(f"the authority sent a certificate for {', '.join(sorted(found.names)) or 'no name'}")
    if found.ends <= now:
        raise RemoteError(f"the authority sent a certificate that has ended: serial {found.serial}")


def share(text: str) -> float:
    """A number from 0 to 1 that is always the same for a text: hosts spread over time without a memory."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def _identifier(certificate: x509.Certificate) -> str:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return ""
    number = certificate.serial_number
    serial = number.to_bytes(number.bit_length() // 8 + 1, "big")  # as DER: a first bit of 1 gets a byte of 0
    return f"{_base64(found.value.key_identifier or b'')}.{_base64(serial)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

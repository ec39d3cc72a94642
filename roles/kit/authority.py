"""The internal certificate authority of an environment.

The authority's key is a secret; everything else follows from it. A leaf's key and certificate are a
pure function of the authority, the names and the period of the calendar, so a second run makes the
same bytes, nothing but the authority has to be kept, and a new period is a renewal: certificates
live for three periods and are replaced after one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from roles.kit.error import OperatorError

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
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Nexus COS {name} internal CA")])
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=LEAF_DAYS))  # leaves begin at their period's start
            .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(_pem(key), certificate.public_bytes(serialization.Encoding.PEM).decode())

    @cached_property
    def _signing_key(self) -> rsa.RSAPrivateKey:
        # Whether the numbers of the key are primes is not asked again (95 ms): it was made here, lies
        # encrypted and authenticated, and has to be the one that the certificate names.
        key = serialization.load_pem_private_key(
            self.key.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != self._authority.public_key():
            raise OperatorError(
                "the secret tls/ca-key is not the RSA key of tls/ca-certificate: put back the pair that belongs "
                "together, or remove both and have new ones made by `make secrets`"
            )
        return key  # PKCS#1 v1.5 signatures are deterministic

    @cached_property
    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._signing_key.public_key())

    @cached_property
    def _authority(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.encode())

    def leaf(self, names: Iterable[str], today: dt.date | None = None) -> Leaf:
        """A server and client certificate for these host names and addresses; the first is its subject."""
        wanted = list(dict.fromkeys(names))
        begin = _period_start(wanted[0], today or dt.datetime.now(dt.UTC).date())
        end = begin + dt.timedelta(days=LEAF_DAYS)
        identity = f"{','.join(wanted)} {begin.isoformat()}".encode()
        key = self._derive_key(identity)
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in wanted])
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted[0])]))
            .issuer_name(self._authority.subject)
            .public_key(key.public_key())
            .serial_number(
                int.from_bytes(hashlib.sha256(self.certificate.encode() + identity).digest()[:16]) >> 1
            )
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(purposes, critical=False)
            .add_extension(self._identifier, critical=False)
            .sign(self._signing_key, hashes.SHA256())
        )
        return Leaf(certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key), end)

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


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()

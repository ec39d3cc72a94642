"""X.509 certificates of an internal authority: its own, and the certificates that it signs."""

import datetime as dt
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nexus.error import OperatorError


def root(name: str, begin: dt.datetime, end: dt.datetime) -> tuple[rsa.RSAPrivateKey, str]:
    """A new key, and the PEM certificate of an authority with that name and key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = _subject(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM).decode()


class Signer:
    """Signs for an authority; OperatorError if its `key` does not match its `certificate`, both PEM."""

    def __init__(self, key: str, certificate: str) -> None:
        self._certificate = x509.load_pem_x509_certificate(certificate.encode())
        # The primes of the key are not checked again (95 ms): it was made here, is stored encrypted and
        # authenticated, and must match the certificate.
        loaded = serialization.load_pem_private_key(key.encode(), password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(loaded, rsa.RSAPrivateKey) or loaded.public_key() != self._certificate.public_key():
            raise OperatorError(
                f"the key of {self._certificate.subject.rfc4514_string()} in the secrets is not the RSA key of its "
                "certificate: restore the matching pair, or remove both and create new ones with `make secrets`"
            )
        self.ends = self._certificate.not_valid_after_utc
        self._key = loaded  # PKCS#1 v1.5 signatures are deterministic
        self._identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(loaded.public_key())

    def leaf(
        self, names: Sequence[str], key: ec.EllipticCurvePublicKey, serial: int, begin: dt.datetime, end: dt.datetime
    ) -> str:
        """A PEM certificate for a server and client with these names and addresses; the first is its subject."""
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_subject(names[0]))
            .issuer_name(self._certificate.subject)
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(purposes, critical=False)
            .add_extension(self._identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


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

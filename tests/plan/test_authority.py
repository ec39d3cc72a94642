"""The internal CA: leaves are reproducible, verify with OpenSSL, and are renewed long before they end."""

import datetime as dt
import hashlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nexus.error import OperatorError
from nexus.pki.ca import LEAF_DAYS, PERIOD_SECONDS, RENEW_DAYS, Authority

DAY = dt.datetime(2026, 11, 22, 13, 5, 7, tzinfo=dt.UTC)
# Hash of the leaf that the first release made. Other bytes change leaves in every environment: then raise FORMAT.
FIRST = "2e8833475e9e7e0493a907ef745e149191021b7f82565a78b3bcf0edddcac521"


@pytest.fixture(scope="module")
def authority():
    return Authority.create("test")


def prime(seed):
    """The same prime each time."""
    found = int.from_bytes(hashlib.shake_256(seed).digest(64)) | 3 << 510 | 1
    while any(pow(base, found - 1, found) != 1 for base in (2, 3, 5, 7)):
        found += 2
    return found


def known():
    """An authority with the same key and certificate each time."""
    p, q = prime(b"p"), prime(b"q")
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPublicNumbers(65537, p * q)
    key = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), numbers).private_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "known")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(DAY - dt.timedelta(days=1000))
        .not_valid_after(DAY + dt.timedelta(days=1000))
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    return Authority(secret, certificate.public_bytes(pem).decode())


def test_a_leaf_has_the_bytes_that_it_always_had():
    leaf = known().leaf(["app1", "10.0.0.1"], DAY)
    assert hashlib.sha256(f"{leaf.certificate}{leaf.key}".encode()).hexdigest() == FIRST


def test_the_same_day_makes_the_same_bytes(authority):
    again = Authority(authority.key, authority.certificate)
    assert authority.leaf(["app1", "10.0.0.1"], DAY) == again.leaf(["app1", "10.0.0.1"], DAY.replace(hour=23))


@pytest.mark.parametrize("seconds", [PERIOD_SECONDS, 7 * 86400, 3600, 90])
def test_leaves_made_in_advance_are_those_that_are_made_then(authority, seconds):
    one = Authority(authority.key, authority.certificate, seconds)
    ahead = list(one.leaves(["app1"], 5 * seconds, DAY))
    assert len(ahead) == 6
    for number, leaf in enumerate(ahead):
        assert leaf == one.leaf(["app1"], DAY + dt.timedelta(seconds=number * seconds))
        assert leaf.expires - leaf.begins == dt.timedelta(seconds=3 * seconds)
    assert len({leaf.certificate for leaf in ahead}) == len({leaf.key for leaf in ahead}) == 6


def test_no_leaf_made_in_advance_outlives_its_authority(authority):
    near = authority.ends - dt.timedelta(days=200)
    ahead = list(authority.leaves(["app1"], 730 * 86400, near))
    assert 3 <= len(ahead) <= 5
    assert ahead[-1].expires <= authority.ends < ahead[-1].expires + dt.timedelta(days=RENEW_DAYS)


def test_leaves_of_another_period_length_differ(authority):
    short = Authority(authority.key, authority.certificate, RENEW_DAYS * 86400 // 2)
    days = [DAY + dt.timedelta(days=n) for n in range(RENEW_DAYS)]
    long = {authority.leaf(["app1"], day).begins: authority.leaf(["app1"], day) for day in days}
    same = [leaf for day in days if (leaf := short.leaf(["app1"], day)).begins in long]
    assert all(long[leaf.begins].key != leaf.key for leaf in same)


@pytest.mark.parametrize("seconds", [0, -1, 60, 10**8])
def test_an_invalid_period_is_refused(authority, seconds):
    with pytest.raises(OperatorError, match=f"certificate_period_seconds is {seconds}: .* Choose 90"):
        Authority(authority.key, authority.certificate, seconds)


def test_other_names_and_other_authorities_make_other_keys(authority):
    keys = {authority.leaf(["app1"], DAY).key, authority.leaf(["app2"], DAY).key}
    keys.add(Authority.create("test").leaf(["app1"], DAY).key)
    assert len(keys) == 3


def test_a_key_of_another_certificate_is_refused(authority):
    with pytest.raises(OperatorError, match=r"internal CA in the secrets is not the RSA key of its certificate"):
        Authority(Authority.create("other").key, authority.certificate).leaf(["app1"])


def test_a_leaf_renews_each_period_with_two_periods_left(authority):
    days = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=n) for n in range(3 * RENEW_DAYS)]
    leaves = [authority.leaf(["app1"], day) for day in days]
    assert 3 <= len({leaf.certificate for leaf in leaves}) <= 4
    for day, leaf in zip(days, leaves, strict=True):
        left = leaf.expires - day
        assert LEAF_DAYS - RENEW_DAYS < left.days <= LEAF_DAYS


def test_openssl_accepts_a_leaf_for_its_names_and_addresses(authority, tmp_path):
    (tmp_path / "ca.pem").write_text(authority.certificate)
    (tmp_path / "leaf.pem").write_text(authority.leaf(["app1", "10.0.0.1"]).certificate)
    for option, value in (("-verify_hostname", "app1"), ("-verify_ip", "10.0.0.1")):
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", option, value, "leaf.pem"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    wrong = ["openssl", "verify", "-CAfile", "ca.pem", "-verify_hostname", "app2", "leaf.pem"]
    assert subprocess.run(wrong, cwd=tmp_path, capture_output=True).returncode != 0


def test_a_leaf_cannot_sign(authority):
    leaf = x509.load_pem_x509_certificate(authority.leaf(["app1"]).certificate.encode())
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False

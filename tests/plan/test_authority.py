"""The internal CA: leaves are reproducible, verify with OpenSSL, and are renewed long before they end."""

import datetime as dt
import subprocess

import pytest
from cryptography import x509

from roles.kit.authority import LEAF_DAYS, RENEW_DAYS, Authority
from roles.kit.error import OperatorError


@pytest.fixture(scope="module")
def authority():
    return Authority.create("test")


def test_the_same_day_makes_the_same_bytes(authority):
    day = dt.date(2026, 11, 22)
    again = Authority(authority.key, authority.certificate)
    assert authority.leaf(["app1", "10.0.0.1"], day) == again.leaf(["app1", "10.0.0.1"], day)


def test_other_names_and_other_authorities_make_other_keys(authority):
    day = dt.date(2026, 11, 22)
    keys = {authority.leaf(["app1"], day).key, authority.leaf(["app2"], day).key}
    keys.add(Authority.create("test").leaf(["app1"], day).key)
    assert len(keys) == 3


def test_a_key_of_another_certificate_is_refused(authority):
    with pytest.raises(OperatorError, match="tls/ca-key is not the RSA key of tls/ca-certificate"):
        Authority(Authority.create("other").key, authority.certificate).leaf(["app1"])


def test_a_leaf_is_replaced_once_a_period_and_never_has_less_than_two_left(authority):
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(3 * RENEW_DAYS)]
    leaves = [authority.leaf(["app1"], day) for day in days]
    assert 3 <= len({leaf.certificate for leaf in leaves}) <= 4
    for day, leaf in zip(days, leaves, strict=True):
        left = leaf.expires.date() - day
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

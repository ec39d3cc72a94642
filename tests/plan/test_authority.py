"""The internal CA: leaves are reproducible, verify with OpenSSL, and are renewed long before they end."""

import datetime as dt
import subprocess

import pytest
from cryptography import x509

from roles.kit import cached, signed
from roles.kit.authority import LEAF_DAYS, RENEW_DAYS, Authority
from roles.kit.error import OperatorError
from roles.kit.memory import cache_directory
from roles.kit.signing import Signer


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


@pytest.fixture
def another_run(tmp_path, monkeypatch):
    """Begins a run of its own as often as it is called; all share a cache of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def begin():
        signed._kept.cache_clear()
        signed._inputs.cache_clear()

    begin()
    yield begin
    begin()


@pytest.fixture
def signatures(monkeypatch):
    made = []
    sign = Signer.leaf
    monkeypatch.setattr(Signer, "leaf", lambda *arguments: made.append(1) or sign(*arguments))
    return made


def test_the_next_run_need_not_sign_again(authority, another_run, signatures):
    first = authority.leaf(["app1"])
    another_run()
    assert Authority(authority.key, authority.certificate).leaf(["app1"]) == first
    assert len(signatures) == 1
    authority.leaf(["app1", "10.0.0.1"])
    Authority.create("other").leaf(["app1"])
    authority.leaf(["app1"], dt.date.today() + dt.timedelta(days=RENEW_DAYS))
    assert len(signatures) == 4
    kept = (cache_directory() / signed.FILE).read_text()
    assert "PRIVATE KEY" not in kept


def test_a_certificate_that_other_code_signed_or_that_was_tampered_with_is_signed_anew(
    authority, another_run, signatures, monkeypatch
):
    first, path = authority.leaf(["app1"]), cache_directory() / signed.FILE
    path.write_text(path.read_text().replace("MII", "MIJ", 1))
    another_run()
    assert authority.leaf(["app1"]) == first
    assert len(signatures) == 2
    another_run()
    monkeypatch.setattr(signed, "__version__", "0")
    assert authority.leaf(["app1"]) == first
    assert len(signatures) == 3


def test_the_oldest_certificates_are_dropped(authority, another_run, monkeypatch):
    monkeypatch.setattr(signed, "MOST", 2)
    for name in ("app1", "app2", "app3"):
        authority.leaf([name])
    assert len(signed.json.loads(cached.read(signed.FILE, signed._inputs()))) == 2

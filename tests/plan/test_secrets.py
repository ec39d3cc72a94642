"""Secrets: encrypted at rest, made only where that is allowed, never half written."""

import stat

import pyrage
import pytest

from roles.kit.error import OperatorError
from roles.kit.fill import fill
from roles.kit.secrets import Secrets


@pytest.fixture
def files(tmp_path):
    return tmp_path / "lab.age", tmp_path / "age.key"


def test_a_secret_survives_and_lies_encrypted(files):
    path, key = files
    first = Secrets(path, key, generate=True)
    value = first.get("redis/auth-service")
    assert first.save()
    assert value.encode() not in path.read_bytes()
    assert Secrets(path, key).get("redis/auth-service") == value
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_nothing_new_writes_nothing(files):
    path, key = files
    first = Secrets(path, key, generate=True)
    first.get("a")
    first.save()
    before = path.read_bytes()
    again = Secrets(path, key, generate=True)
    again.get("a")
    assert not again.save()
    assert path.read_bytes() == before


def test_a_missing_secret_is_named_where_none_may_be_made(files):
    path, key = files
    Secrets(path, key, generate=True).get("a")
    made = Secrets(path, key, generate=True)
    made.get("a")
    made.save()
    with pytest.raises(OperatorError, match=r'secret "b" is missing in .*lab.age: .*make secrets'):
        Secrets(path, key).get("b")


def test_another_key_cannot_read_and_says_what_to_do(files, tmp_path):
    path, key = files
    made = Secrets(path, key, generate=True)
    made.get("a")
    made.save()
    other = tmp_path / "other.key"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(
        OperatorError, match=r"cannot be decrypted with the key in .*other.key.*NEXUS_AGE_IDENTITY"
    ):
        Secrets(path, other)


def test_every_recipient_can_read(files, tmp_path):
    path, key = files
    friend = pyrage.x25519.Identity.generate()
    made = Secrets(path, key, recipients=[str(friend.to_public())], generate=True)
    value = made.get("a")
    made.save()
    theirs = tmp_path / "friend.key"
    theirs.write_text(f"{friend}\n")
    assert Secrets(path, theirs).get("a") == value


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"rubbish", "cannot be decrypted"), (b"", "cannot be decrypted")]
)
def test_a_damaged_file_is_refused(files, content, complaint):
    path, key = files
    key.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    path.write_bytes(content)
    with pytest.raises(OperatorError, match=complaint):
        Secrets(path, key)


def test_a_missing_file_and_a_missing_key_are_named(files):
    path, key = files
    with pytest.raises(OperatorError, match="is missing: it holds the secrets"):
        Secrets(path, key)
    path.write_bytes(b"x")
    with pytest.raises(OperatorError, match=r"age key .* is missing"):
        Secrets(path, key)


def test_a_recipient_that_is_no_key_is_named(files):
    path, key = files
    with pytest.raises(OperatorError, match='"age1nonsense" is no age public key'):
        Secrets(path, key, recipients=["age1nonsense"], generate=True)
    assert not path.exists()


def test_all_secrets_of_an_environment_are_made_at_once_and_only_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_AGE_IDENTITY", str(tmp_path / "age.key"))
    data = {"secrets_file": str(tmp_path / "box.age")}
    made = fill("box", data)
    assert {"tls/ca-key", "postgresql/auth-service/a", "postgresql/auth-service/b", "registry/nexus"} <= set(made)
    assert fill("box", data) == []

"""Secrets: encrypted at rest, created only where allowed, never half written."""

import stat
from pathlib import Path

import pyrage
import pytest

from nexus.error import OperatorError
from nexus.secrets import identity
from nexus.secrets.store import Secrets
from runbooks.secret.fill import fill


@pytest.fixture
def files(tmp_path):
    return tmp_path / "lab.age", tmp_path / "age.key"


def name(path, people):
    """Write the recipients of the secrets: {name: key or file of a key}."""
    keys = {who: identity.read(key) if isinstance(key, Path) else key for who, key in people.items()}
    path.with_suffix(".recipients").write_text("".join(f"{key.to_public()} {who}\n" for who, key in keys.items()))


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


def test_a_missing_secret_is_named_if_none_may_be_created(files):
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
    with pytest.raises(OperatorError, match=r"cannot be decrypted with the key in .*other.key.*NEXUS_AGE_IDENTITY"):
        Secrets(path, other)


def test_every_recipient_can_read(files, tmp_path):
    path, key = files
    friend = pyrage.x25519.Identity.generate()
    identity.make(key)
    name(path, {"me": key, "friend": friend})
    made = Secrets(path, key, generate=True)
    value = made.get("a")
    made.save()
    theirs = tmp_path / "friend.key"
    theirs.write_text(f"{friend}\n")
    assert Secrets(path, theirs).get("a") == value


def test_a_removed_recipient_cannot_read_and_is_recorded(files, tmp_path):
    path, key = files
    friend = pyrage.x25519.Identity.generate()
    identity.make(key)
    name(path, {"me": key, "friend": friend})
    made = Secrets(path, key, generate=True)
    made.get("a")
    made.save()
    name(path, {"me": key})
    after = Secrets(path, key)
    assert after.recipient_changes() == ([], ["friend"])
    assert not after.save()  # a run that changes nothing leaves the file as it is
    assert after.save(readdress=True)
    theirs = tmp_path / "friend.key"
    theirs.write_text(f"{friend}\n")
    with pytest.raises(OperatorError, match="cannot be decrypted"):
        Secrets(path, theirs)
    again = Secrets(path, key)
    assert [entry["name"] for entry in again.departed] == ["friend"]
    assert again.changed_at("a") <= again.departed[0]["at"]
    assert again.recipient_changes() == ([], [])


def test_nobody_can_lock_themselves_out(files):
    path, key = files
    identity.make(key)
    name(path, {"friend": pyrage.x25519.Identity.generate()})
    made = Secrets(path, key, generate=True)
    made.get("a")
    with pytest.raises(OperatorError, match=r"does not list your own key.*Add the line `age1"):
        made.save()
    assert not path.exists()


def test_a_concurrent_edit_is_not_overwritten(files):
    path, key = files
    first, second = Secrets(path, key, generate=True), Secrets(path, key, generate=True)
    first.get("a")
    second.get("b")
    first.save()
    with pytest.raises(OperatorError, match="written by someone else in the meantime"):
        second.save()
    assert Secrets(path, key).names() == ["a"]


def test_a_file_with_only_values_is_still_read(files):
    path, key = files
    identity.make(key)
    path.write_bytes(pyrage.encrypt(b'{"a": "1"}', [identity.read(key).to_public()]))
    old = Secrets(path, key)
    assert (old.get("a"), old.active("postgresql/x"), old.changed_at("a")) == ("1", "a", "")


@pytest.mark.parametrize(("content", "complaint"), [(b"rubbish", "cannot be decrypted"), (b"", "cannot be decrypted")])
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


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("age1nonsense bob", r'lab.recipients:2: "age1nonsense" is not an age public key'),
        ("AGE-SECRET-KEY-1QQQ bob", r"lab.recipients:2: it is not an age public key.*this is a private key"),
        ("{other}", r"lab.recipients:2: write the owner's name after the key"),
        ("{same} again", r"lab.recipients:2: this key is already listed, as me"),
    ],
)
def test_an_invalid_recipient_is_named(files, line, complaint):
    path, key = files
    identity.make(key)
    mine = identity.read(key).to_public()
    other = pyrage.x25519.Identity.generate().to_public()
    path.with_suffix(".recipients").write_text(f"{mine} me\n{line.format(other=other, same=mine)}\n")
    with pytest.raises(OperatorError, match=complaint) as refused:
        Secrets(path, key, generate=True)
    assert "1QQQ" not in str(refused.value)
    assert not path.exists()


def test_an_empty_recipients_file_is_refused(files):
    path, key = files
    path.with_suffix(".recipients").write_text("# nobody yet\n")
    with pytest.raises(OperatorError, match="lists nobody"):
        Secrets(path, key, generate=True)


def test_all_secrets_are_made_together_and_only_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_AGE_IDENTITY", str(tmp_path / "age.key"))
    data = {"secrets_file": str(tmp_path / "box.age")}
    made = fill("box", data)
    assert {"tls/ca-key", "postgresql/auth-service/a", "postgresql/auth-service/b", "registry/nexus/b"} <= set(made)
    assert fill("box", data) == []

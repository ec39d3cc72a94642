"""The way to hosts that exist: host keys, bastions, logins. Each failure has its remedy."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from nexus.provider.ssh.host_key import HostKey
from runbooks.contact import FINGERPRINTS, terminal
from tests.plan.bare_project import Bare, bare_, place_  # noqa: F401 - fixtures
from tests.plan.bastion import Bastion
from tests.plan.contact_environment import environment, key_of, own_password_, ready_, refusal, report  # noqa: F401 - fixtures

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")


# Host keys


def test_an_unknown_key_is_not_accepted(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, pinned=False)
    said = refusal(capsys)
    assert f"host key {bare.key.get_name()} {key_of(bare).fingerprint}, which nobody confirmed" in said
    assert f"NEXUS_FINGERPRINTS={key_of(bare).fingerprint}" in said
    assert not (place / "inventory/example.known_hosts").exists()
    assert bare.commands == []


def test_the_operator_confirms_a_key(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    environment(place, bare, pinned=False)
    asked: list[str] = []

    def confirm(host: str, words: str) -> bool:
        asked.append(f"{host} {words}")
        return True

    monkeypatch.setattr(terminal, "confirmation", lambda: confirm)
    assert "host key written, you confirmed it" in report(capsys)
    assert (place / "inventory/example.known_hosts").read_text() == key_of(bare).line
    assert "host key written" not in report(capsys)
    assert asked == [f"box1 {bare.key.get_name()} {key_of(bare).fingerprint}"]


@pytest.mark.parametrize("answer", ["yes", "fingerprint", "no", ""])
def test_the_answer_about_a_key(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "SHA256:abc" if answer == "fingerprint" else answer)
    ask = terminal.confirmation()
    assert ask
    assert ask("box1", "ssh-ed25519 SHA256:abc") is (answer in ("yes", "fingerprint"))


def test_a_fingerprint_that_was_given(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    environment(place, bare, pinned=False)
    monkeypatch.setenv(FINGERPRINTS, f"SHA256:other, {key_of(bare).fingerprint}")
    assert "host key written, its fingerprint was given" in report(capsys)


def test_a_key_that_the_operator_knows(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, pinned=False)
    (place / "ssh/known").write_text(key_of(bare).line)
    assert "host key written, your known_hosts has it" in report(capsys)


def test_another_key_than_before(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare)
    path = place / "inventory/example.known_hosts"
    path.write_text(f"[127.0.0.1]:{bare.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ\n")
    other = paramiko.ECDSAKey.generate()
    path.write_text(HostKey(f"[127.0.0.1]:{bare.port}", other.get_name(), other.get_base64()).line)
    before = path.read_text()
    assert f"ssh-keygen -R '[127.0.0.1]:{bare.port}' -f " in refusal(capsys)
    assert path.read_text() == before
    assert bare.commands == []


# The way in


def test_nothing_listens(place: Path, bare: Bare, dead_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, port=dead_port)
    assert f"nothing answers on port {dead_port} of 127.0.0.1: start sshd there" in refusal(capsys)


def test_an_unknown_name(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare)
    config = place / "ssh/config"
    config.write_text(config.read_text().replace("127.0.0.1", "nowhere.invalid"))
    assert "the name nowhere.invalid is not known" in refusal(capsys)


def test_a_host_that_is_silent(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("runbooks.contact.SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment(place, bare, port=server.getsockname()[1])
        assert "127.0.0.1 does not answer (" in refusal(capsys)


def test_a_key_that_is_refused(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    ready.user_key = paramiko.ECDSAKey.generate()
    assert "refuses ops with " in (said := refusal(capsys))
    assert "add the public key to ~ops/.ssh/authorized_keys there" in said


def test_a_key_that_is_missing(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "key").unlink()
    assert f"has no usable key {place}/key here" in refusal(capsys)


def test_a_shell_that_runs_nothing(ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ready, "answer", lambda: "This account is currently not available.\n")
    assert "logged in, but its shell ran no command" in refusal(capsys)


@pytest.fixture
def bastion(bare: Bare) -> Iterator[Bastion]:
    found = Bastion(bare.user_key)
    yield found
    found.close()


def behind(place: Path, bare: Bare, bastion: Bastion, known: bool = True) -> None:
    jump = f"  ProxyJump ops@jump\nHost jump\n  HostName 127.0.0.1\n  Port {bastion.port}\n  HostKeyAlias jump\n"
    environment(place, bare, more=jump)
    line = f"jump {bastion.key.get_name()} {bastion.key.get_base64()}\n"
    (place / "ssh/known").write_text(line if known else "")


def test_a_host_behind_a_bastion(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion)
    assert f"ops at 127.0.0.1:{bare.port} through ops@jump" in report(capsys)
    assert set(bastion.asked) == {("127.0.0.1", bare.port)}


def test_a_bastion_that_is_gone(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion)
    bastion.close()
    assert "cannot be reached: no connection through ops@jump: " in (said := refusal(capsys))
    assert "Connection refused" in said
    assert "check ProxyJump or ProxyCommand" in said


def test_a_bastion_whose_key_is_unknown(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion, known=False)
    assert "connect once with `ssh ops@jump` and confirm the key of the jump host" in refusal(capsys)

"""sudo on hosts that exist, and an environment that is made from what its hosts say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from nexus.transport import sudo
from runbooks.environment import __main__ as command
from tests.plan.bare_project import Bare, bare_, place_  # noqa: F401 - fixtures
from tests.plan.bastion import configuration
from tests.plan.contact_environment import CONFIG, environment, key_of, own_password_, ready_, refusal, report  # noqa: F401 - fixtures

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")


SUDO = {
    "missing": ("sh: 1: sudo: not found", "has no sudo: as root, apt-get install sudo && adduser ops sudo"),
    "password": ("password", "has a sudo that asks ops for a password: set sudo_asks_password = True in group_data"),
    "terminal": ("sudo: sorry, you must have a tty to run sudo", "remove requiretty from /etc/sudoers"),
    "not allowed": ("ops is not allowed to execute that", "does not let ops use sudo (ops is not allowed"),
}


@pytest.mark.parametrize("case", SUDO)
def test_sudo_is_refused(case: str, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    ready.sudo, words = SUDO[case]
    assert words in refusal(capsys)


def asking(place: Path, host: Bare, mode: str = "password") -> None:
    host.sudo = mode
    with (place / "group_data/example.py").open("a") as stream:
        stream.write("sudo_asks_password = True\n")


def test_sudo_with_a_password(place: Path, ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    monkeypatch.setenv(sudo.VARIABLE, ready.secret)
    said = report(capsys)
    assert "sudo with a password" in said
    assert ready.secret not in said + "".join(ready.commands)
    assert ready.sent == [f"{ready.secret}\n".encode()] * 2


def test_the_password_is_asked_for_once(place: Path, ready: Bare, monkeypatch: Any, capsys: Any) -> None:
    asking(place, ready)
    answers = iter([ready.secret])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    report(capsys)
    report(capsys)


def test_no_terminal_for_the_password(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    assert "no terminal to ask on: set NEXUS_SUDO_PASSWORD" in refusal(capsys)


def test_a_wrong_password(place: Path, ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    monkeypatch.setenv(sudo.VARIABLE, "wrong")
    assert "has another sudo password for ops (Sorry, try again." in refusal(capsys)
    assert ready.sent == [b"wrong\n"]


def test_a_user_outside_of_sudoers(place: Path, ready: Bare, monkeypatch: Any, capsys: Any) -> None:
    asking(place, ready, "refused")
    monkeypatch.setenv(sudo.VARIABLE, ready.secret)
    assert "does not let ops use sudo (ops is not in the sudoers file.): as root, adduser ops sudo" in refusal(capsys)


# An environment that is made from what its hosts say


def made_by_asking(place: Path, host: Bare, *words: str) -> int:
    text = CONFIG.format(port=host.port, more="")
    configuration(place / "ssh/config", key=place / "key", known=place / "ssh/known", text=text)
    given = ["hosts=box1.test/10.0.0.1", f"ssh_config={place}/ssh/config", f"ssh_key={place}/key"]
    return command.main(["example", "provider=ssh", "domain=nexus.example.org", *given, *words])


def test_hosts_say_their_names_and_sizes(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    bare.name, bare.said = "pear", {"memory": f"MemTotal: {64 * 1024**2} kB"}
    assert made_by_asking(place, bare, f"fingerprints={key_of(bare).fingerprint}") == 0
    assert (
        f'_host("pear", "10.0.0.1", "box1.test", ssh_port={bare.port})' in (place / "inventory/example.py").read_text()
    )
    settings = (place / "group_data/example.py").read_text()
    assert "service_memory_scale = " in settings
    assert "sudo_asks_password" not in settings
    assert (place / "inventory/example.known_hosts").read_text() == key_of(bare).line
    report(capsys)


def test_a_password_for_sudo_becomes_a_setting(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    bare.sudo = "password"
    monkeypatch.setenv(sudo.VARIABLE, bare.secret)
    assert made_by_asking(place, bare, f"fingerprints={key_of(bare).fingerprint}") == 0
    settings = (place / "group_data/example.py").read_text()
    assert "sudo_asks_password = True  # on box1; NEXUS_SUDO_PASSWORD has it where no terminal is" in settings
    assert bare.secret not in settings
    assert "sudo with a password" in report(capsys)


def test_a_host_that_says_nothing_is_not_guessed(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    assert made_by_asking(place, bare) == 1
    captured = capsys.readouterr()
    assert "which nobody confirmed" in captured.out
    assert "box1.test did not say what it has, see above: fix that, or state SIZES" in captured.err
    assert not list(place.glob("*/example*"))

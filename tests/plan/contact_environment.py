"""An environment `example` with one host that nobody prepared, and what first contact says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.error import OperatorError
from nexus.provider.ssh.host_key import HostKey
from nexus.transport import sudo
from runbooks.contact import FINGERPRINTS, terminal
from runbooks.environment import __main__ as command
from tests.plan.bare_project import Bare
from tests.plan.bastion import configuration

LARGE = "sizes=128x512"  # the services fit at their full size
CONFIG = "Host box1.test\n  HostName 127.0.0.1\n  Port {port}\n  User ops\n{more}"


@pytest.fixture(name="own_password", autouse=True)
def own_password_(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer of an earlier test is kept."""
    monkeypatch.delenv(sudo.VARIABLE, raising=False)
    monkeypatch.delenv(FINGERPRINTS, raising=False)
    sudo._password.cache_clear()
    yield
    sudo._password.cache_clear()


def key_of(host: Bare) -> HostKey:
    return HostKey(f"[127.0.0.1]:{host.port}", host.key.get_name(), host.key.get_base64())


def environment(place: Path, host: Bare, *, more: str = "", port: int = 0, pinned: bool = True) -> None:
    """Write the environment `example` with this one host, as the command does."""
    text = CONFIG.format(port=port or host.port, more=more)
    configuration(place / "ssh/config", key=place / "key", known=place / "ssh/known", text=text)
    words = ["hosts=box1=box1.test/10.0.0.1", LARGE, f"ssh_config={place}/ssh/config", f"ssh_key={place}/key"]
    assert command.main(["example", "provider=ssh", "domain=nexus.example.org", *words]) == 0
    if pinned:
        (place / "inventory/example.known_hosts").write_text(key_of(host).line)


@pytest.fixture(name="ready")
def ready_(place: Path, bare: Bare) -> Bare:
    environment(place, bare)
    return bare


def report(capsys: pytest.CaptureFixture[str]) -> str:
    """The report of hosts that are all ready."""
    capsys.readouterr()
    terminal.contact("example")
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], count: int = 1) -> str:
    """The reasons of a refusal."""
    capsys.readouterr()
    with pytest.raises(OperatorError, match=f"^{count} reasons? why example cannot be deployed.*Nothing was changed"):
        terminal.contact("example")
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "refused: " in line]
    assert len(lines) == count, lines
    return "\n".join(lines)

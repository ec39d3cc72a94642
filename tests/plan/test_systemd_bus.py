"""Answers of systemd over its own socket, from a fake server, and the fallback to systemctl."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import systemd, systemd_bus

UNITS = {
    "nginx.service": ("loaded", "active", "running"),
    "backup.timer": ("loaded", "active", "waiting"),
    "off.service": ("loaded", "inactive", "dead"),
    "gone.service": ("not-found", "inactive", "dead"),
}
SINCE = 1 << 40
VALUES = {"UnitFileState": "enabled", "NeedDaemonReload": True, "NRestarts": 2, "ActiveEnterTimestampMonotonic": SINCE}


def padded(data: bytes, to: int) -> bytes:
    return data + b"\0" * (-len(data) % to)


def texts(*texts: str, before: bytes = b"") -> bytes:
    for text in texts:
        before = padded(before, 4) + struct.pack("<I", len(text)) + text.encode() + b"\0"
    return before


def rows(names: list[str]) -> bytes:
    """Units as ListUnitsByNames answers: a(ssssssouso)."""
    content = b""
    for name in names:
        row = texts(name, "a description", *UNITS[name], "", f"/unit/{name}")
        content = padded(content, 8) + texts("", "/", before=padded(row, 4) + struct.pack("<I", 0))
    return padded(struct.pack("<I", len(content)), 8) + content


def value(name: str) -> bytes:
    """A property as a variant."""
    found = VALUES[name]
    if isinstance(found, str):
        return texts(found, before=b"\x01s\0")
    if isinstance(found, bool):
        return b"\x01b\0\0" + struct.pack("<I", found)
    if name == "NRestarts":
        return b"\x01u\0\0" + struct.pack("<I", found)
    return b"\x01t\0" + bytes(5) + struct.pack("<Q", found)


class Systemd:
    """Answers one connection; `asked` are the requested properties, with their objects."""

    def __init__(self, path: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection, connection.makefile("rwb") as stream:
            while not stream.readline().startswith(b"BEGIN"):
                pass
            stream.write(b"OK 0123456789abcdef\r\n")
            stream.flush()
            while head := stream.read(16):
                _, _, _, _, size, serial, fields = struct.unpack("<cBBBIII", head)
                about, body = stream.read(fields + -fields % 8), stream.read(size)
                answer = self._answer(about, body)
                signal = struct.pack("<cBBBIII", b"l", 4, 0, 1, 0, 9, 0)  # for example: a unit was loaded
                stream.write(signal + struct.pack("<cBBBIII", b"l", 2, 0, 1, len(answer), serial, 0) + answer)
                stream.flush()

    def _answer(self, about: bytes, body: bytes) -> bytes:
        if b"ListUnitsByNames" in about:
            return rows([name for name in UNITS if name.encode() in body])
        (path,) = (name for name in UNITS if f"/unit/{name}".encode() in about)
        (name,) = (name for name in VALUES if name.encode() in body)
        self.asked.append((path, name))
        return value(name)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    monkeypatch.setattr(systemd_bus, "SOCKET", str(tmp_path / "private"))
    found = Systemd(systemd_bus.SOCKET)
    yield found
    found.server.close()


def test_units_are_reported_in_the_words_of_systemctl(bus: Systemd) -> None:
    found = dict(zip(UNITS, systemd_bus.properties(["nginx", "backup.timer", "off", "gone"]), strict=True))
    for name, (load, active, sub) in UNITS.items():
        states = {"LoadState": load, "ActiveState": active, "SubState": sub}
        assert found[name].items() >= {**states, "UnitFileState": "enabled", "NeedDaemonReload": "yes"}.items()
    assert found["nginx.service"]["NRestarts"] == "2"
    assert found["nginx.service"]["ActiveEnterTimestampMonotonic"] == str(SINCE)
    lives = {path for path, name in bus.asked if name == "NRestarts"}
    assert lives == {"nginx.service"}  # a timer has none, and a stopped unit needs none


def test_without_its_socket_systemctl_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(systemd_bus, "SOCKET", str(tmp_path / "none"))

    def run(argv: list[str]) -> str:
        asked.append(argv)
        return "LoadState=loaded\nActiveState=inactive\n"

    monkeypatch.setattr(systemd, "run", run)
    found = systemd.units(["nginx"])["nginx"]
    assert (found["LoadState"], found["ActiveState"]) == ("loaded", "inactive")
    assert asked[0][:2] == ["systemctl", "show"]

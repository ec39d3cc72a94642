"""Units as systemd itself answers, over its own socket.

`systemctl show` has systemd work out all of some 300 properties of every unit, memory and traffic included, and drops
all but those it was asked for. Only root may use that socket. For other users, and after any failure here,
`systemd.units` falls back to systemctl.

The wire format is that of the D-Bus specification, "Message Protocol"; the socket is systemd's private one, which
needs neither a name nor a broker.
"""

import socket
import struct
from collections.abc import Sequence
from typing import Any

SOCKET = "/run/systemd/private"
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "/org/freedesktop/systemd1"
KINDS = (".service", ".socket", ".timer", ".target", ".mount", ".path", ".slice", ".scope", ".device", ".swap")
ROW = "sssssssuss"  # of ListUnitsByNames: name, description, three states, unit followed, path, and three of its job
ALWAYS = (("Unit", "UnitFileState"), ("Unit", "NeedDaemonReload"))
LIFE = (("Service", "NRestarts"), ("Unit", "ActiveEnterTimestampMonotonic"))
UP = ("active", "activating", "reloading")
SECONDS = 30
RETURN, ERROR = 2, 3  # kinds of messages


class BusError(Exception):
    """systemd answered with an error, or not in a language that is understood here."""


def properties(units: Sequence[str]) -> list[dict[str, str]]:
    """For each unit its LoadState, ActiveState, SubState, UnitFileState and NeedDaemonReload, in systemctl's words.

    A service that is up, or about to be, tells as well how often systemd restarted it, and since when it is active.
    Raises OSError where the socket cannot be used, BusError where the answer cannot.
    """
    names = [unit if unit.endswith(KINDS) else f"{unit}.service" for unit in units]
    found = []
    with socket.socket(socket.AF_UNIX) as connection:
        stream = _opened(connection)
        connection.sendall(_list(names))
        for name, row in zip(names, Answer(stream).rows(), strict=True):
            _, _, load, active, sub, _, path, *_ = row
            wanted = (*ALWAYS, *(LIFE if name.endswith(".service") and active in UP else ()))
            connection.sendall(b"".join(_get(path, interface, key) for interface, key in wanted))
            states = {"LoadState": load, "ActiveState": active, "SubState": sub}
            found.append(states | {key: Answer(stream).value() for _, key in wanted})
    return found


def _opened(connection: socket.socket) -> Any:
    """The stream of answers of a connection on which calls can be sent."""
    connection.settimeout(SECONDS)
    connection.connect(SOCKET)
    connection.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")  # 30 is root's number, 0, as hexadecimal text
    stream = connection.makefile("rb")
    if not stream.readline().startswith(b"OK "):
        raise BusError("systemd does not let this process in")
    return stream


def _list(names: Sequence[str]) -> bytes:
    """A call for the states of units, which systemd loads for that where they are not."""
    array = _texts(*names)
    return _call(MANAGER, f"{SYSTEMD}.Manager", "ListUnitsByNames", "as", struct.pack("<I", len(array)) + array)


def _get(path: str, interface: str, name: str) -> bytes:
    """A call for one property of the object at a path."""
    return _call(path, "org.freedesktop.DBus.Properties", "Get", "ss", _texts(f"{SYSTEMD}.{interface}", name))


def _call(path: str, interface: str, member: str, signature: str, body: bytes) -> bytes:
    """One method call. All have the same serial number: answers come in the order of the calls."""
    fields = b""
    for code, kind, text in ((1, b"o", path), (2, b"s", interface), (3, b"s", member)):
        fields = _texts(text, before=fields + _pad(len(fields), 8) + bytes((code, 1)) + kind + b"\0")
    fields += _pad(len(fields), 8) + b"\x08\x01g\0" + bytes((len(signature),)) + signature.encode() + b"\0"
    head = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), 1, len(fields))
    return head + fields + _pad(len(fields), 8) + body


def _texts(*texts: str, before: bytes = b"") -> bytes:
    for text in texts:
        data = text.encode()
        before += _pad(len(before), 4) + struct.pack("<I", len(data)) + data + b"\0"
    return before


def _pad(size: int, to: int) -> bytes:
    return b"\0" * (-size % to)


class Answer:
    """The next answer of a stream; what it holds is read from front to back."""

    def __init__(self, stream: Any) -> None:
        kind = 0
        while kind not in (RETURN, ERROR):  # signals come in between
            order, kind, size, fields = struct.unpack("<cBxxIxxxxI", _exactly(stream, 16))
            if order != b"l":
                raise BusError("systemd answers in another order of bytes")
            _exactly(stream, fields + -fields % 8)
            self._data, self._at = _exactly(stream, size), 0
        if kind == ERROR:
            raise BusError(self.text() if size else "systemd answers with an error")

    def rows(self) -> list[list[str]]:
        """An array of rows."""
        size, rows = self._number(), []
        self._skip_to(8)
        end = self._at + size
        while self._at < end:
            self._skip_to(8)
            rows.append([self.text() if kind == "s" else str(self._number()) for kind in ROW])
        return rows

    def value(self) -> str:
        """A property, in systemctl's words."""
        kind, self._at = self._data[1:2], 3
        if kind == b"s":
            return self.text()
        if kind == b"b":
            return "yes" if self._number() else "no"
        if kind in (b"t", b"u"):
            return str(self._number("<Q" if kind == b"t" else "<I"))
        raise BusError(f"systemd answers with a value of kind {kind!r}")

    def _number(self, kind: str = "<I") -> int:
        size = struct.calcsize(kind)
        self._skip_to(size)
        (number,) = struct.unpack_from(kind, self._data, self._at)
        self._at += size
        return int(number)

    def text(self) -> str:
        """A text."""
        size = self._number()
        begin, self._at = self._at, self._at + size + 1
        return self._data[begin : begin + size].decode(errors="replace")

    def _skip_to(self, multiple: int) -> None:
        self._at += -self._at % multiple


def _exactly(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    if len(data) < size:
        raise BusError("systemd ended the connection")
    return data

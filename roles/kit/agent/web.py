"""HTTP for host-side code that asks a server one thing: one request, one answer, and the connection is over.

`http.client` would do as well, and take 10 ms of every probe to be imported, with all that reads mail; `urllib.parse`
takes another 3. HTTP/1.1, because not every server takes 1.0, and because an answer in chunks tells when it broke off.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

LINE_BYTES = 1 << 16
HEADERS = 100  # more than that, and it is no server that anybody here asks
BODILESS = (204, 304)  # answers that have no body, whatever they say of its length
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


class AnswerError(ConnectionError):
    """An answer that broke off, or is no HTTP."""


class SilenceError(AnswerError):
    """The other side ended the connection without an answer: it is about to start or to stop."""


class Answer:
    """Status, its reason phrase, headers by their names in lower case, and the body."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.reason, self.headers, self.body = status, reason, headers, body


@contextlib.contextmanager
def connect(host: str, port: int, timeout: float, tls: Any = None) -> Iterator[socket.socket]:
    """A connection by TCP, and by TLS where `tls` is an SSLContext, that is closed in the end; OSError without one.

    `timeout` is in seconds, for each time that something is waited for.
    """
    # As bytes: text would be taken for an international name, and what encodes those takes 1 ms to be imported.
    address: Any = host.encode("ascii") if host.isascii() else host
    connection = socket.create_connection((address, port), timeout)
    try:
        if tls:
            connection = tls.wrap_socket(connection, server_hostname=address)
        yield connection
    finally:
        connection.close()


def ask(
    connection: socket.socket,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | bytes | None = None,
    most: int | None = None,
) -> Answer:
    """The answer to a request on a connection that is of no use afterwards.

    `path` is quoted, `headers` hold a Host; of the body no more than `most` bytes are read.
    OSError where the connection fails, AnswerError where the answer is shorter than it says, or none.
    """
    content = body.encode() if isinstance(body, str) else body or b""
    lines = [f"{method} {path} HTTP/1.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if content or method != "GET":
        lines.append(f"Content-Length: {len(content)}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
    with connection.makefile("rb") as stream:
        try:
            return _answer(stream, most)
        except AnswerError as error:
            raise type(error)(f"{method} {path}: {error}") from None


def get(port: int, path: str, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer of what listens on this host itself; errors as of `connect` and `ask`."""
    with connect("127.0.0.1", port, timeout) as connection:
        return ask(connection, "GET", path, {"Host": f"127.0.0.1:{port}", **(headers or {})})


def quote(text: str, safe: str = "/") -> str:
    """Text as a part of a path or query."""
    plain = PLAIN.union(safe.encode())
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())


def _answer(stream: BufferedIOBase, most: int | None) -> Answer:
    first = stream.readline(LINE_BYTES)
    if not first:
        raise SilenceError("the other side ended the connection without an answer")
    words = first.decode("latin-1").split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or len(words[1]) != 3 or not words[1].isdigit():
        raise AnswerError(f"the answer is no HTTP: {first[:60]!r}")
    if not first.endswith(b"\n"):
        raise AnswerError("the answer broke off")
    headers = _headers(stream)
    status, reason = int(words[1]), words[2].strip() if len(words) > 2 else ""
    return Answer(status, reason, headers, b"" if status in BODILESS else _body(stream, headers, most))


def _headers(stream: BufferedIOBase) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(HEADERS):
        line = stream.readline(LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return found
        if not line.endswith(b"\n"):
            raise AnswerError("the answer broke off among its headers")
        name, _, value = line.decode("latin-1").partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    raise AnswerError(f"the answer has more than {HEADERS} headers")


def _body(stream: BufferedIOBase, headers: Mapping[str, str], most: int | None) -> bytes:
    """As long as the headers say, or to the end of the connection."""
    if coding := headers.get("transfer-encoding"):
        if coding.lower() != "chunked":
            raise AnswerError(f"the answer comes in an encoding that was not asked for: {coding[:60]!r}")
        return _chunks(stream, most)
    told = headers.get("content-length")
    if told is None:
        return stream.read(-1 if most is None else most)
    if not told.isdecimal():
        raise AnswerError(f"the answer says that it is {told[:60]!r} bytes long")
    return _exactly(stream, int(told) if most is None else min(int(told), most))


def _chunks(stream: BufferedIOBase, most: int | None) -> bytes:
    """All of them, or the first that hold as much as is wanted; what follows the last one is left unread."""
    found = bytearray()
    while most is None or len(found) < most:
        line = stream.readline(LINE_BYTES)
        try:
            size = int(line.partition(b";")[0], 16)
            if size < 0 or not line.endswith(b"\n"):
                raise ValueError
        except ValueError:
            raise AnswerError(f"the answer broke off after {len(found)} bytes in chunks") from None
        if not size:
            break
        found += _exactly(stream, size if most is None else min(size, most - len(found)))
        stream.readline(LINE_BYTES)  # a chunk ends with an empty line
    return bytes(found[:most])


def _exactly(stream: BufferedIOBase, length: int) -> bytes:
    body = stream.read(length)
    if len(body) < length:
        raise AnswerError(f"the answer broke off after {len(body)} of {length} bytes")
    return body

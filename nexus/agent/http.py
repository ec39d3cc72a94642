"""HTTP for host-side code that asks a server one thing: one request, one answer, and the connection is closed."""

import http.client
import socket
from collections.abc import Mapping
from email.errors import MissingHeaderBodySeparatorDefect
from typing import NamedTuple


class AnswerError(ConnectionError):
    """An answer that broke off, or is not HTTP."""


class SilenceError(AnswerError):
    """The other side ended the connection without an answer: it is about to start or to stop."""


class Answer(NamedTuple):
    """Status, its reason phrase, headers by their names in any case, and the body."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


class UnixConnection(http.client.HTTPConnection):
    """A connection to the Unix socket at a path."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    most: int | None = None,
) -> Answer:
    """The answer to a request on a connection that is closed afterwards.

    `path` is quoted; of the body no more than `most` bytes are read.
    OSError where the connection fails, AnswerError where the answer is shorter than it says, or is not HTTP.
    """
    try:
        connection.request(method, path, body, {**(headers or {}), "Connection": "close"})
        reply = connection.getresponse()
        content = reply.read(most)
        if most is not None and reply.length and len(content) < most:  # which `read` only notices without a limit
            raise http.client.IncompleteRead(content)
        if any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in reply.headers.defects):
            raise AnswerError(f"{method} {path}: the answer broke off among its headers")
        return Answer(reply.status, reply.reason, reply.headers, content)
    except http.client.RemoteDisconnected:
        raise SilenceError(f"{method} {path}: the other side ended the connection without an answer") from None
    except http.client.IncompleteRead as error:
        raise AnswerError(f"{method} {path}: the answer broke off after {len(error.partial)} bytes") from None
    except http.client.HTTPException as error:
        raise AnswerError(f"{method} {path}: the answer is not HTTP: {error!r}") from None
    finally:
        connection.close()


def get(
    port: int, path: str, timeout: float, headers: Mapping[str, str] | None = None, most: int | None = None
) -> Answer:
    """The answer of what listens on this host itself; errors as of `ask`."""
    return ask(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), "GET", path, headers, most=most)

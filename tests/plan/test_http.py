"""HTTP of host-side code: answers of a server, and incomplete or missing answers."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from nexus.agent import http

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[tuple[Serve, list[bytes]]]:
    """A server that gives every connection the same answer, and the requests that it got."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def start(answer: bytes) -> int:
            def work() -> None:
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as stream:
                    head = b"".join(iter(stream.readline, b"\r\n"))
                    length = re.search(rb"Content-Length: (\d+)", head)
                    seen.append(head + b"\r\n" + stream.read(int(length[1]) if length else 0))
                    connection.sendall(answer)

            threading.Thread(target=work, daemon=True).start()
            return int(server.getsockname()[1])

        yield start, seen


def to(port: int) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", port, timeout=5)


def test_an_answer_has_a_status_headers_and_a_body(serve: tuple[Serve, list[bytes]]) -> None:
    start, seen = serve
    headers = b"X-Router-Config: abc\r\nx-router-config: later\r\nEmpty:\r\n"
    port = start(b"HTTP/1.1 404 Not Found\r\n" + headers + b"\r\nnothing here")
    answer = http.get(port, "/health", 5, {"X-Nexus-Service": "auth"})
    assert (answer.status, answer.reason, answer.body) == (404, "Not Found", b"nothing here")
    assert (answer.headers["x-router-config"], answer.headers["empty"]) == ("abc", "")
    first, *headers_sent = seen[0].decode().strip().split("\r\n")
    assert first == "GET /health HTTP/1.1"
    assert {"Connection: close", f"Host: 127.0.0.1:{port}", "X-Nexus-Service: auth"} <= set(headers_sent)


def test_a_body_is_sent_with_its_length(serve: tuple[Serve, list[bytes]]) -> None:
    start, seen = serve
    connection = to(start(b"HTTP/1.0 204\r\nContent-Length: 9\r\n\r\n"))
    answer = http.ask(connection, "PUT", "/x", {"Host": "here"}, "größe".encode())
    assert (answer.status, answer.reason, answer.body) == (204, "", b"")
    assert b"\r\nContent-Length: 7\r\n" in seen[0]
    assert seen[0].endswith("\r\n\r\ngröße".encode())
    assert connection.sock is None


def test_an_answer_is_read_only_as_far_as_asked(serve: tuple[Serve, list[bytes]]) -> None:
    start, _ = serve
    assert http.get(start(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhole"), "/", 5).body == b"whol"
    for length in (b"", b"Content-Length: 5\r\n"):
        port = start(b"HTTP/1.1 200 OK\r\n" + length + b"\r\nwhole")
        assert http.get(port, "/", 5, most=2).body == b"wh"


def test_chunks_are_put_together(serve: tuple[Serve, list[bytes]]) -> None:
    answer = CHUNKED + b"5\r\nhello\r\nA;why=not\r\n, everyone\r\n0\r\nTrailer: x\r\n\r\n"
    assert http.get(serve[0](answer), "/", 5).body == b"hello, everyone"
    assert http.get(serve[0](answer), "/", 5, most=7).body == b"hello, "


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "GET /: the answer broke off after 4 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke off among its headers"),
        (b"HTTP/1.1 2", "not HTTP"),
        (b"+PONG\r\n", "not HTTP: .*\\+PONG"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n", "more than 100 headers"),
        (CHUNKED + b"4\r\nhalf\r\n", "broke off after 4 bytes"),
        (CHUNKED + b"9\r\nhalf", "broke off after"),
        (CHUNKED + b"nonsense\r\nhalf\r\n", "broke off after 0 bytes"),
    ],
)
@pytest.mark.parametrize("most", [None, 1000])
def test_a_truncated_answer_is_an_error(
    serve: tuple[Serve, list[bytes]], answer: bytes, why: str, most: int | None
) -> None:
    with pytest.raises(http.AnswerError, match=why) as found:
        http.get(serve[0](answer), "/", 5, most=most)
    assert not isinstance(found.value, http.SilenceError)
    assert isinstance(found.value, ConnectionError)


def test_no_answer_at_all_is_an_error_of_its_own(serve: tuple[Serve, list[bytes]]) -> None:
    with pytest.raises(http.SilenceError, match="without an answer"):
        http.get(serve[0](b""), "/", 5)


def test_a_refused_connection_is_reported_as_refused(dead_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        http.get(dead_port, "/", 5)


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        http.get(int(server.getsockname()[1]), "/", 0.1)


def test_a_unix_socket_is_asked_by_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def work() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        threading.Thread(target=work, daemon=True).start()
        assert http.ask(http.UnixConnection(path, 5), "GET", "/_ping", {"Host": "docker"}).body == b"hi"
        with pytest.raises(TimeoutError):  # no second connection is accepted
            http.ask(http.UnixConnection(path, 0.1), "GET", "/_ping")
    with pytest.raises(FileNotFoundError):
        http.ask(http.UnixConnection(f"{path}.gone", 5), "GET", "/_ping")

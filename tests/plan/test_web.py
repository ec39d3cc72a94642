"""HTTP of host-side code: what a server says, and what it fails to say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from roles.kit.agent import web

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[tuple[Serve, list[bytes]]]:
    """A server that gives each connection the same answer, whatever it is asked; and what it was asked."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def start(answer: bytes) -> int:
            def work() -> None:
                connection, _ = server.accept()
                with connection:
                    seen.append(connection.recv(1 << 16))
                    connection.sendall(answer)

            threading.Thread(target=work, daemon=True).start()
            return int(server.getsockname()[1])

        yield start, seen


def test_an_answer_has_a_status_headers_and_a_body(serve: tuple[Serve, list[bytes]]) -> None:
    start, seen = serve
    headers = b"X-Router-Config: abc\r\nx-router-config: later\r\nEmpty:\r\n"
    port = start(b"HTTP/1.1 404 Not Found\r\n" + headers + b"\r\nnothing here")
    answer = web.get(port, "/health", 5, {"X-Nexus-Service": "auth"})
    assert (answer.status, answer.reason, answer.body) == (404, "Not Found", b"nothing here")
    assert answer.headers == {"x-router-config": "abc", "empty": ""}
    head = f"GET /health HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:{port}\r\nX-Nexus-Service: auth\r\n\r\n"
    assert seen == [head.encode()]


def test_a_body_is_sent_with_its_length(serve: tuple[Serve, list[bytes]]) -> None:
    start, seen = serve
    with web.connect("127.0.0.1", start(b"HTTP/1.0 204\r\nContent-Length: 9\r\n\r\n"), 5) as connection:
        answer = web.ask(connection, "PUT", "/x", {"Host": "here"}, "größe")
    assert (answer.status, answer.reason, answer.body) == (204, "", b"")
    assert seen[0].endswith("\r\nContent-Length: 7\r\n\r\ngröße".encode())


def test_an_answer_ends_where_it_says_and_nobody_reads_more_than_wanted(serve: tuple[Serve, list[bytes]]) -> None:
    start, _ = serve
    assert web.get(start(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhole"), "/", 5).body == b"whol"
    for length in (b"", b"Content-Length: 5\r\n"):
        with web.connect("127.0.0.1", start(b"HTTP/1.1 200 OK\r\n" + length + b"\r\nwhole"), 5) as connection:
            assert web.ask(connection, "GET", "/", most=2).body == b"wh"


def test_chunks_are_put_together(serve: tuple[Serve, list[bytes]]) -> None:
    answer = CHUNKED + b"5\r\nhello\r\nA;why=not\r\n, everyone\r\n0\r\nTrailer: x\r\n\r\n"
    assert web.get(serve[0](answer), "/", 5).body == b"hello, everyone"
    with web.connect("127.0.0.1", serve[0](answer), 5) as connection:
        assert web.ask(connection, "GET", "/", most=7).body == b"hello, "


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "GET /: the answer broke off after 4 of 9 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke off among its headers"),
        (b"HTTP/1.1 200 O", "broke off"),
        (b"HTTP/1.1 2", "no HTTP"),
        (b"+PONG\r\n", "no HTTP: b'\\+PONG"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "'-1' bytes long"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n", "more than 100 headers"),
        (CHUNKED + b"4\r\nhalf\r\n", "broke off after 4 bytes in chunks"),
        (CHUNKED + b"9\r\nhalf", "broke off after 4 of 9 bytes"),
        (CHUNKED + b"-4\r\nhalf\r\n0\r\n\r\n", "broke off after 0 bytes in chunks"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "not asked for: 'gzip'"),
    ],
)
def test_half_an_answer_is_an_error(serve: tuple[Serve, list[bytes]], answer: bytes, why: str) -> None:
    with pytest.raises(web.AnswerError, match=why) as found:
        web.get(serve[0](answer), "/", 5)
    assert not isinstance(found.value, web.SilenceError)
    assert isinstance(found.value, ConnectionError)


def test_no_answer_at_all_is_an_error_of_its_own(serve: tuple[Serve, list[bytes]]) -> None:
    with pytest.raises(web.SilenceError, match="without an answer"):
        web.get(serve[0](b""), "/", 5)


def test_a_refused_connection_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    with pytest.raises(ConnectionRefusedError):
        web.get(port, "/", 5)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        web.get(int(server.getsockname()[1]), "/", 0.1)


def test_what_is_no_plain_letter_is_quoted() -> None:
    assert web.quote('{"label": ["ä/b"]}') == "%7B%22label%22%3A%20%5B%22%C3%A4/b%22%5D%7D"
    assert web.quote("/", safe="") == "%2F"

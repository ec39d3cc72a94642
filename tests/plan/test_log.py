"""Log lines: what the forwarder makes of entries, what it sends to a server, and how operators see them."""

from __future__ import annotations

import http.client
import io
import json
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.log_forwarder.host import forward
from roles.log_forwarder.host.export import Entry, entries
from roles.log_forwarder.host.fields import add_fields
from roles.log_forwarder.host.state import Sent
from roles.log_store.host.journal import HEADER_BYTES, NUMBER, SEQUENCE, SIGNATURE, TIMES, Journal, journals
from roles.log_store.host.pack import due_to_close, surplus
from roles.log_store.host.search import arguments, literal, readable
from roles.log_store.plan import CONFIG, PACK_CONFIG, plan
from runbooks.daily.log import in_words
from tests.plan import environments

TEXT = b"__CURSOR=c1\n__SEQNUM=7\nMESSAGE=one\n\n"
BINARY = b"__CURSOR=c2\nMESSAGE\n\x09\0\0\0\0\0\0\0two\n\nmore\n_PID=1\n\n"
MESSAGE = {"level": "error", "service": "x", "message": "GET /a", "requestId": "r1", "userId": "", "statusCode": 500}


def container(message: str, **others: str) -> Entry:
    fields = {
        "CONTAINER_NAME": "nexus_auth-service.2.abc",
        "IMAGE_NAME": "ops1:5000/nexus-cos/auth-service:1.4@sha256:0",
    }
    text = "".join(f"{name}={value}\n" for name, value in {**fields, "MESSAGE": message, **others}.items())
    return next(entries(io.BytesIO(f"{text}\n".encode())))


def test_entries_are_read_as_they_were_written() -> None:
    found = list(entries(io.BytesIO(TEXT + BINARY)))
    assert [entry.data() for entry in found] == [TEXT, BINARY]
    assert [entry.values[b"MESSAGE"] for entry in found] == [b"one", b"two\n\nmore"]


def test_an_entry_that_is_cut_off_is_left_out() -> None:
    assert [entry.values[b"MESSAGE"] for entry in entries(io.BytesIO(TEXT + TEXT[:-5]))] == [b"one"]


def test_a_container_is_known_by_service_task_and_release() -> None:
    entry = container("plain")
    add_fields(entry)
    values = {name: entry.values[name] for name in (b"SERVICE", b"TASK", b"RELEASE")}
    assert values == {b"SERVICE": b"auth-service", b"TASK": b"auth-service.2.abc", b"RELEASE": b"1.4"}


def test_a_message_gives_request_and_priority() -> None:
    entry = container(json.dumps(MESSAGE), PRIORITY="6")
    add_fields(entry)
    assert b"REQUEST_ID=r1\n" in entry.parts
    assert b"STATUS_CODE=500\n" in entry.parts
    assert [part for part in entry.parts if part.startswith(b"PRIORITY")] == [b"PRIORITY=3\n"]
    assert b"USER_ID" not in entry.values


@pytest.mark.parametrize(
    "message", ['{"requestId": ', "{}", '{"requestId": "a\\nb"}', "{not json}", '{"level": ["x"]}', '{"a":' * 9000]
)
def test_odd_messages_are_taken_as_they_are(message: str) -> None:
    entry = container(message)
    add_fields(entry)
    assert entry.values[b"MESSAGE"] == message.encode()
    assert b"REQUEST_ID" not in entry.values


def test_other_programs_cannot_claim_a_request() -> None:
    entry = next(entries(io.BytesIO(b'SYSLOG_IDENTIFIER=sshd\nMESSAGE={"requestId":"r1"}\n\n')))
    add_fields(entry)
    assert b"REQUEST_ID" not in entry.values


class Store(ThreadingHTTPServer):
    """A log store that answers as it is told to, and keeps what it took."""

    def __init__(self, answers: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers, self.taken = answers, list[bytes]()
        Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 202
        if b"MESSAGE=bad\n" in body:
            status = 400
        if status == 202:
            self.server.taken.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *words: Any) -> None:
        pass


@pytest.fixture
def forwarder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> forward.Forwarder:
    monkeypatch.setattr(forward, "PAUSE_SECONDS", (0,))
    found = forward.Forwarder(forward.Store("ops1", "127.0.0.1", 1, "", "", ""), str(tmp_path))

    def plain(self: forward.Forwarder) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.store.port, timeout=10)

    monkeypatch.setattr(forward.Forwarder, "_connect", plain)
    return found


def to(forwarder: forward.Forwarder, store: Store) -> forward.Forwarder:
    forwarder.store = forward.Store("ops1", "127.0.0.1", store.server_port, "", "", "")
    return forwarder


def test_lines_are_sent_until_they_are_taken(forwarder: forward.Forwarder) -> None:
    store = Store([503, 500])
    to(forwarder, store)._send([b"MESSAGE=a\n\n", b"MESSAGE=b\n\n"])
    assert store.taken == [b"MESSAGE=a\n\nMESSAGE=b\n\n"]
    assert forwarder.sent.lost == 0


def test_one_line_that_is_refused_does_not_stop_others(
    forwarder: forward.Forwarder, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store([])
    lines = [b"MESSAGE=a\n\n", b"MESSAGE=bad\n\n", b"MESSAGE=b\n\n", b"MESSAGE=c\n\n"]
    to(forwarder, store)._send(lines)
    assert b"".join(store.taken) == b"MESSAGE=a\n\nMESSAGE=b\n\nMESSAGE=c\n\n"
    assert forwarder.sent.lost == 1
    assert "ops1 refused a log line of 13 bytes: 400" in capsys.readouterr().out


def test_lines_that_the_journal_dropped_are_counted(forwarder: forward.Forwarder) -> None:
    for number, numbering in ((7, "a"), (8, "a"), (12, "a"), (11, "a"), (13, "a"), (1, "b")):
        text = f"__SEQNUM={number}\n__SEQNUM_ID={numbering}\nMESSAGE=x\n\n".encode()
        forwarder._count(next(entries(io.BytesIO(text))))
    assert forwarder.sent.lost == 2


def test_where_it_goes_on_is_read_from_disk(forwarder: forward.Forwarder, tmp_path: Path) -> None:
    batch = forward.Batch()
    batch.add(next(entries(io.BytesIO(TEXT))), TEXT)
    forwarder._keep(batch)
    assert Sent(str(tmp_path)).cursor == "c1"


def test_a_size_that_holds_no_two_files_is_refused(tmp_path: Path) -> None:
    env = environments.environment(tmp_path, log_store_megabytes_max=200, log_store_file_megabytes=128)
    with pytest.raises(OperatorError, match="log_store_megabytes_max is 200: too small for files of 128 MB"):
        plan(env, env.group("ops")[0])


def test_sizes_and_ages_are_those_of_the_settings(tmp_path: Path) -> None:
    env = environments.environment(tmp_path, log_store_megabytes_max=1000, log_store_file_megabytes=100)
    files = {file.path: file.data.decode() for file in plan(env, env.group("ops")[0]).files}
    assert "MaxUse=900000000\nMaxFileSize=100000000\n" in files[CONFIG]
    packed = json.loads(files[PACK_CONFIG])
    assert (packed["hot_days"], packed["archive_days"]) == (30, 365)


def test_files_that_are_no_journals_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "logs.journal").write_bytes(b"LPKSHHRH")
    (tmp_path / "logs@1.journal").write_bytes(b"something else" * 100)
    assert journals(str(tmp_path)) == []


def test_a_journal_is_closed_with_the_name_that_systemd_gives(tmp_path: Path) -> None:
    """With another name it would take room for ever: systemd removes newer files instead, which nobody has packed."""
    header = bytearray(HEADER_BYTES)
    header[:8], header[SEQUENCE : SEQUENCE + 16] = SIGNATURE, bytes(range(16))
    struct.pack_into("<Q", header, NUMBER, 0x356F3)
    struct.pack_into("<QQ", header, TIMES, 1_796_146_868_912_000, 1_796_146_869_716_000)
    (tmp_path / "logs.journal").write_bytes(header)
    (found,) = journals(str(tmp_path))
    assert found.closed_name == "logs@000102030405060708090a0b0c0d0e0f-00000000000356f3-000661960815ff80.journal"


def test_a_text_is_searched_as_it_is() -> None:
    assert literal("a.b[c]") == r"a\.b\[c\]"
    context = {
        "since": 1.0,
        "until": 2.0,
        "services": ["a", "b"],
        "host": "",
        "unit": "",
        "request": "r",
        "grep": "x y",
    }
    found = arguments(context)
    assert found == [
        "--since=@1",
        "--until=@2",
        r"--grep=x\ y",
        "--case-sensitive=yes",
        "SERVICE=a",
        "SERVICE=b",
        "REQUEST_ID=r",
    ]


def test_values_that_are_no_text_are_readable() -> None:
    assert [readable(value) for value in ("a", [104, 105], ["x", "y"], None)] == ["a", "hi", "x", ""]


def test_a_line_is_shown_without_json() -> None:
    line = {
        "__REALTIME_TIMESTAMP": "0",
        "_HOSTNAME": "app1",
        "TASK": "auth-service.2.abcdefgh",
        "MESSAGE": json.dumps(MESSAGE),
    }
    assert in_words(line).endswith(" app1 auth-service.2.abcde error GET /a requestId=r1 statusCode=500")


def test_open_journals_that_are_old_or_above_a_lowered_limit_are_closed() -> None:
    found = [Journal(name, False, first, 500, size) for name, first, size in (
        ("old", 99, 1), ("full", 100, 10_002_432), ("large", 100, 33_554_432), ("new", 100, 1)
    )]  # fmt: skip
    assert [one.path for one in due_to_close(found, 100, 10_000_000)] == ["old", "large"]


def test_the_oldest_journals_go_first() -> None:
    found = [Journal(f"logs@{number}.journal", True, number, number + 1, 10) for number in range(5)]
    assert [journal.first for journal in surplus(found, oldest=2.5, most=100)] == [0, 1]
    assert [journal.first for journal in surplus(found, oldest=0, most=25)] == [0, 1, 2]
    assert surplus(found, oldest=0, most=50) == []

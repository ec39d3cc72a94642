"""Requests of the reference service and the role to object storage, checked by this project's signatures over TLS."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.server
import ssl
import threading
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from nexus.agent.lib import RemoteError
from nexus.pki.ca import Authority
from roles.storage.host import signature, state
from tests.plan.test_reference import Service, needs_node

BUCKET, KEY, SECRET, REGION = "nexus-cos-test-demo", "demo_a", "a secret", "eu-central-1"


class Storage(http.server.ThreadingHTTPServer):
    """Answers requests that are signed with the key: a HEAD of the bucket, and a GET of its versioning."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.asked: list[str] = []
        self.versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                outer.asked.append(self.path)
                self.send_response(outer.status(self.command, self.path, self.headers))
                self.end_headers()

            def do_GET(self) -> None:
                self.do_HEAD()
                self.wfile.write(outer.versioning.encode())
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        leaf = authority.leaf(["127.0.0.1"])
        files = directory / "leaf.pem", directory / "leaf.key"
        for path, text in zip(files, (leaf.certificate, leaf.key), strict=True):
            path.write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def status(self, method: str, asked: str, found: Message) -> int:
        path, _, words = asked.partition("?")
        if path != f"/{BUCKET}":
            return 404
        when = dt.datetime.strptime(found["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        assert abs(dt.datetime.now(dt.UTC) - when) < dt.timedelta(minutes=5)
        access = {"key": KEY, "secret": SECRET, "region": REGION}
        empty = hashlib.sha256(b"").hexdigest()
        wanted = signature.headers(access, found["host"], method, path, words, empty, when)
        return 200 if found["authorization"] == wanted["Authorization"] else 403


@pytest.fixture(name="storage")
def storage_(tmp_path: Path, authority: Authority) -> Iterator[Storage]:
    (tmp_path / "ca.pem").write_text(authority.certificate)
    server = Storage(tmp_path, authority)
    yield server
    server.shutdown()
    server.server_close()


def readiness(tmp_path: Path, storage: Storage, **other: str) -> tuple[int, dict[str, str]]:
    """Status of /health/ready, and its entry for the store."""
    told = {
        "NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.pem"),
        "STORES": "object-storage",
        "S3_ENDPOINT": storage.url,
        "S3_REGION": REGION,
        "S3_BUCKET": BUCKET,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    service = Service(tmp_path / "log", **told | other)
    try:
        status, answer = service.ask("/health/ready")
    finally:
        service.process.kill()
        service.process.wait()
    return status, answer["stores"]["object-storage"]


@needs_node
def test_is_ready_when_its_key_opens_its_bucket(tmp_path: Path, storage: Storage) -> None:
    status, found = readiness(tmp_path, storage)
    assert (status, found["status"]) == (200, "ok")
    assert storage.asked == [f"/{BUCKET}"]


@needs_node
@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, f"bucket {BUCKET}: answers 403, its key does not open it"),
        ({"S3_BUCKET": "another"}, "bucket another: answers 404, there is none of this name"),
        ({"S3_BUCKET": ""}, "S3_BUCKET, S3_REGION, AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not in the environ"),
        ({"S3_ENDPOINT": ""}, "no URL given"),
        ({"NODE_EXTRA_CA_CERTS": "/dev/null"}, "unable to verify the first certificate"),
    ],
)
def test_says_why_its_bucket_is_not_ready(tmp_path: Path, storage: Storage, other: dict[str, str], reason: str) -> None:
    status, found = readiness(tmp_path, storage, **other)
    assert (status, found["status"]) == (503, "failed")
    assert reason in found["error"]


def looked(tmp_path: Path, storage: Storage, *names: str, **other: object) -> dict[str, dict[str, object]]:
    """The buckets in the role's own probe."""
    (tmp_path / "unit").touch()
    access = {"endpoint": "127.0.0.1", "port": storage.server_address[1], "region": REGION, "key": KEY}
    access |= {"secret": SECRET, "ca": str(tmp_path / "ca.pem")} | other
    context = {"about": "bucket", "access": access, "unit_file": str(tmp_path / "unit")}
    return state.probe([f"bucket {name}" for name in names], context)


def test_a_bucket_is_checked_with_one_request(tmp_path: Path, storage: Storage) -> None:
    assert looked(tmp_path, storage, BUCKET, "another") == {f"bucket {BUCKET}": {"versioned": True}}
    assert storage.asked == [f"/{BUCKET}?versioning=", "/another?versioning="]
    storage.versioning = "<VersioningConfiguration/>"
    assert looked(tmp_path, storage, BUCKET) == {f"bucket {BUCKET}": {"versioned": False}}


def test_a_failed_lookup_is_not_a_missing_bucket(tmp_path: Path, storage: Storage) -> None:
    with pytest.raises(RemoteError, match=f"GET {BUCKET} answered 403"):
        looked(tmp_path, storage, BUCKET, secret="wrong")
    with pytest.raises(RemoteError, match=r"object storage at 127\.0\.0\.1:1 does not answer: .*refused"):
        looked(tmp_path, storage, BUCKET, port=1)
    with pytest.raises(RemoteError, match=r"does not answer: .*certificate"):
        looked(tmp_path, storage, BUCKET, ca=None)

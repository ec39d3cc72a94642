"""The reference service, run as a process on this machine: its answers, its readiness, its end."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from roles.functional.plan import token
from tests.plan.loopback import Place

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "image"
Start = Callable[..., "Service"]
REMEMBER_SECONDS = 2  # how long a readiness answer is cached


def node_version() -> int:
    if not shutil.which("node"):
        return 0
    return int(subprocess.check_output(["node", "--version"], text=True).lstrip("v").split(".")[0])


needs_node = pytest.mark.skipif(node_version() < 20, reason="Node.js 20 or newer is not installed here")


class Service:
    """The reference service as a process."""

    def __init__(self, log: Path, **variables: str) -> None:
        self.place = Place()
        self.port = self.place.ports[0]
        self.log = log
        env = {"PATH": os.environ["PATH"], "SERVICE_NAME": "demo", "RELEASE": "1.2.3", "PORT": str(self.port)}
        with log.open("w") as stream:
            command = ["node", str(TEMPLATES / "reference" / "server.js")]
            self.process = subprocess.Popen(command, env={**env, **variables}, stdout=stream)
        until(lambda: "listening" in log.read_text() or self.process.poll() is not None)
        if "FAULT" not in variables:
            assert self.process.poll() is None, log.read_text()

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        kind = answer.getheader("content-type") or ""
        return answer.status, json.loads(data) if data and "json" in kind else data.decode()


def until(check: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.02)


@pytest.fixture(name="start")
def start_(tmp_path: Path) -> Iterator[Start]:
    running: list[Service] = []

    def start(**variables: str) -> Service:
        running.append(Service(tmp_path / f"log{len(running)}", **variables))
        return running[-1]

    yield start
    for service in running:
        service.process.kill()
        service.process.wait()


class Dependency(http.server.ThreadingHTTPServer):
    """Another service's /health: counts requests, answers `status`."""

    def __init__(self) -> None:
        self.asked, self.status = 0, 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                time.sleep(0.1)  # long enough for concurrent requests
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def variable(self) -> str:
        return f"friend=http://127.0.0.1:{self.server_address[1]}/health"


@pytest.fixture(name="dependency")
def dependency_() -> Iterator[Dependency]:
    server = Dependency()
    yield server
    server.shutdown()
    server.server_close()


@needs_node
def test_answers_who_it_is_and_what_it_got(start: Start) -> None:
    service = start()
    assert service.ask("/health")[0] == 200
    assert service.ask("/health/live")[1]["status"] == "ok"
    status, told = service.ask("/api/x?y=1", "POST", b"12345", {"x-request-id": "r1"})
    assert status == 200
    expected = {"service": "demo", "release": "1.2.3", "method": "POST", "path": "/api/x", "query": "y=1"}
    assert expected.items() <= told.items()
    assert (told["bodyLength"], told["requestId"]) == (5, "r1")
    until(lambda: '"r1"' in service.log.read_text())
    line = json.loads(service.log.read_text().splitlines()[-1])
    assert (line["level"], line["service"], line["requestId"], line["statusCode"]) == ("info", "demo", "r1", 200)


@needs_node
def test_says_whether_the_handshake_header_arrived(start: Start) -> None:
    service = start(N3XUS_HANDSHAKE="55-45-17")
    assert service.ask("/")[1]["handshake"] == "absent"
    assert service.ask("/", headers={"X-N3XUS-Handshake": "55-45-17"})[1]["handshake"] == "valid"
    assert service.ask("/", headers={"X-N3XUS-Handshake": "1"})[1]["handshake"] == "wrong"


@needs_node
def test_counts_requests_for_prometheus(start: Start) -> None:
    service = start()
    service.ask("/a")
    service.ask("/b", "POST", b"x")
    status, text = service.ask("/metrics")
    assert status == 200
    assert 'http_requests_total{service="demo",release="1.2.3",method="POST",status="200"} 1' in text
    assert 'http_request_duration_seconds_bucket{service="demo",release="1.2.3",le="+Inf"} 2' in text
    assert 'http_request_duration_seconds_count{service="demo",release="1.2.3"} 2' in text


@needs_node
def test_is_ready_when_its_dependencies_answer(start: Start, dependency: Dependency) -> None:
    service = start(DEPENDS_ON=dependency.variable, STORES_ABSENT="mongodb")
    status, told = service.ask("/health/ready")
    assert (status, told["status"], told["absent"]) == (200, "ready", ["mongodb"])
    assert told["stores"] == {"mongodb": {"status": "absent"}}
    assert told["dependencies"]["friend"]["status"] == "ok"


@needs_node
def test_says_why_it_is_not_ready(start: Start, dependency: Dependency) -> None:
    dependency.status = 500
    nobody = Place()
    gone = f"gone=http://127.0.0.1:{nobody.ports[0]}/health"
    service = start(DEPENDS_ON=f"{dependency.variable},{gone}", STORES="postgresql")
    status, told = service.ask("/health/ready")
    assert status == 503
    reasons = " | ".join(told["reasons"])
    assert "friend: answers 500" in reasons
    assert "gone: connect ECONNREFUSED" in reasons
    assert "postgresql: " in reasons
    assert service.ask("/health/live")[0] == 200


@needs_node
def test_readiness_is_cached_and_asked_again_later(start: Start, dependency: Dependency) -> None:
    service = start(DEPENDS_ON=dependency.variable)
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        assert {status for status, _ in pool.map(service.ask, ["/health/ready"] * 40)} == {200}
    asked = dependency.asked
    assert 1 <= asked <= 1 + (time.monotonic() - began) / REMEMBER_SECONDS
    dependency.status = 503
    until(lambda: service.ask("/health/ready")[0] == 503)
    assert dependency.asked == asked + 1


@needs_node
def test_finishes_running_requests_when_stopped(start: Start) -> None:
    service = start()
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        until(lambda: service.ask("/health")[0] == 200)  # it has received the first bytes by now
        service.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in service.log.read_text())
        client.sendall(b"cd")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"bodyLength":4' in answer
    assert service.process.wait(60) == 0


@needs_node
def test_fails_as_configured(start: Start) -> None:
    service = start(FAULT="error=20,unready")
    statuses = [service.ask("/x")[0] for _ in range(50)]
    assert statuses.count(500) == 10
    assert service.ask("/health/ready")[0] == 503
    assert start(FAULT="start").process.wait(60) != 0


@needs_node
@pytest.mark.parametrize("port", ["", "abc", "70000"])
def test_refuses_an_invalid_port(port: str) -> None:
    env = {"PATH": os.environ["PATH"], "PORT": port}
    command = ["node", str(TEMPLATES / "reference" / "server.js")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "PORT" in done.stderr


FAKE_REDIS = """
const kept = new Map();
const up = () => { if (require('fs').existsSync(process.env.REDIS_DOWN)) throw new Error('the store is down'); };
exports.createClient = () => ({
  on() {}, destroy() {}, async connect() { up(); },
  async get(key) { up(); return kept.get(key) ?? null; },
  async set(key, value) { up(); kept.set(key, value); },
});
"""


@pytest.fixture(name="tokens")
def tokens_(start: Start, tmp_path: Path) -> Service:
    """The reference service in place of the token manager, with a stand-in for its driver of Redis."""
    driver = tmp_path / "modules/@redis/client/index.js"
    driver.parent.mkdir(parents=True)
    driver.write_text(FAKE_REDIS)
    variables = {
        "NODE_PATH": str(tmp_path / "modules"),
        "REDIS_URL": "rediss://x",
        "REDIS_DOWN": str(tmp_path / "down"),
    }
    return start(SERVICE_NAME="token-mgr", JWT_SECRET="now", JWT_SECRETS_ACCEPTED="before,now", **variables)


def post(service: Service, action: str, **body: Any) -> tuple[int, Any]:
    return service.ask(f"/tokens/{action}", "POST", json.dumps(body).encode())


@needs_node
def test_issues_and_checks_tokens_as_the_token_manager_does(tokens: Service) -> None:
    status, answer = post(tokens, "generate", userId="u", payload={"role": "x"}, expiresIn="5m")
    assert status == 200
    status, found = post(tokens, "verify", token=answer["token"])
    assert (status, found["valid"], found["decoded"]["userId"], found["decoded"]["role"]) == (200, True, "u", "x")
    assert found["decoded"]["exp"] - found["decoded"]["iat"] == 300
    assert post(tokens, "verify", token=token("now", "u", time.time()))[0] == 200
    assert post(tokens, "verify", token=token("before", "u", time.time()))[0] == 200


@needs_node
def test_refuses_forged_ended_and_revoked_tokens(tokens: Service) -> None:
    good = token("now", "u", time.time())
    none = f"{base64.urlsafe_b64encode(b'{}').decode()}.{good.split('.')[1]}."
    for bad, why in (
        (token("other", "u", time.time()), "invalid signature"),
        (good[:-2], "invalid signature"),
        (none, "invalid signature"),
        ("x", "invalid signature"),
        (token("now", "u", time.time() - 301), "jwt expired"),
    ):
        assert post(tokens, "verify", token=bad) == (401, {"valid": False, "error": why})
    assert post(tokens, "revoke", token=good)[0] == 200
    assert post(tokens, "verify", token=good) == (401, {"valid": False, "error": "Token revoked"})


@needs_node
def test_a_token_is_not_good_while_the_store_is_down(tokens: Service, tmp_path: Path) -> None:
    good = token("now", "u", time.time())
    (tmp_path / "down").touch()
    assert post(tokens, "verify", token=good) == (503, {"valid": False, "error": "the store is down"})
    (tmp_path / "down").unlink()
    assert post(tokens, "verify", token=good)[0] == 200


@needs_node
def test_other_services_confirm_no_login(start: Start) -> None:
    assert start().ask("/tokens/verify", "POST", b"{}", {"X-Nexus-Login": "1"})[0] == 501

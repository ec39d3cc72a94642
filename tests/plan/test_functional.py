"""Functional checks: which are due, what they ask, and how they name a wrong answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nexus.catalogue import CatalogueError, load
from roles.functional import asked, judge
from roles.functional.host.check import failure
from roles.functional.host.checks import client, probe
from roles.functional.plan import checks, context, request_data, token
from tests.fixtures.checkout import WORKING, make_checkout
from tests.plan.catalogue_copy import edited, line_of
from tests.plan.environments import environment
from tests.plan.fake_run import FakeRun


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("code") / "platform", load())


class Sessions(BaseHTTPRequestHandler):
    """A session manager that can forget, answer wrongly, or break on demand."""

    fault: str
    kept: dict[str, Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.kept["1"] = body["data"]
        if self.fault == "error":
            return self.answer(500, {"error": "SSL required"})
        return self.answer(200, {} if self.fault == "no id" else {"sessionId": "1"})

    def do_GET(self) -> None:
        found = self.kept.get(self.path.rsplit("/", 1)[1])
        data = {"mark": "somebody else's"} if self.fault == "other data" else found
        self.answer(200 if found else 404, data or {"error": "Session not found"})

    def do_DELETE(self) -> None:
        if self.fault != "keeps":
            self.kept.clear()
        self.answer(200, {})

    def answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[type[Sessions], int]]:
    kind = type("Own", (Sessions,), {"fault": "", "kept": {}})
    serving = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield kind, serving.server_address[1]
    serving.shutdown()
    serving.server_close()


def lifecycle() -> list[dict[str, Any]]:
    (check,) = [each for each in load().service("session-mgr").functional if each.writes]
    return [request_data(request) for request in check.requests]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("", ""),
        ("error", 'POST /api/sessions/ answers 500 {"error": "SSL required"}: expected 200'),
        ("no id", "POST /api/sessions/ answers 200 {}: it has no sessionId"),
        (
            "other data",
            'GET /api/sessions/1 answers 200 {"mark": "somebody else\'s"}: '
            'mark is "somebody else\'s", expected "our mark"',
        ),
        ("keeps", 'GET /api/sessions/1 answers 200 {"mark": "our mark"}: expected 404'),
    ],
)
def test_a_wrong_answer_is_named_with_its_request(server: tuple[type[Sessions], int], fault: str, told: str) -> None:
    kind, port = server
    kind.fault = fault
    ask = client({"address": "127.0.0.1", "port": port}, {"Host": "x"}, 5)
    assert failure(lifecycle(), "our mark", ask) == told


def test_a_missing_server_is_a_failure_not_a_traceback() -> None:
    ask = client({"address": "127.0.0.1", "port": 1}, {}, 1)
    assert "POST /api/sessions/ gets no answer: [Errno 111] Connection refused" in failure(lifecycle(), "m", ask)


def test_checks_are_due_for_shipped_code_alone(tmp_path: Path, code: Path) -> None:
    assert checks(environment(tmp_path)) == {}
    found = checks(environment(tmp_path, image_source=str(code)))
    assert set(found) == set(WORKING)
    assert not any(each.writes for each in found["session-mgr"])
    wrote = checks(environment(tmp_path, image_source=str(code)), {"session-mgr"})
    assert [each.writes for each in wrote["session-mgr"]] == [False, True]
    assert not any(each.writes for each in wrote["token-mgr"])
    full = checks(environment(tmp_path, image_source=str(code)), full=True)
    assert all(any(each.writes for each in full[name]) for name in set(WORKING) - {"backend-api"})


def test_a_closed_service_is_not_asked(tmp_path: Path, code: Path) -> None:
    env = environment(tmp_path, image_source=str(code), nginx_maintenance=["session-mgr"])
    assert "session-mgr" not in checks(env)
    assert "token-mgr" in checks(env)


def test_requests_go_through_the_edge_unless_there_is_no_route(tmp_path: Path, code: Path) -> None:
    env = environment(tmp_path, {"edge1": "edge", "app1": "app"}, image_source=str(code))
    asked = context(env, env.host("edge1"), checks(env))
    (router,) = asked["services"].pop("backend-api")
    assert {each["at"] for found in asked["services"].values() for each in found} == {"edge"}
    assert (router["at"], router["headers"]["X-Nexus-Service"]) == ("router", "backend-api")
    assert asked["places"]["edge"]["name"] == f"api.{env.setting.domain}"
    assert asked["mark"].startswith("nexus-cos-check-")
    assert asked["mark"] != context(env, env.host("edge1"), {})["mark"]
    json.dumps(asked)  # as it is sent


def test_where_the_edge_wants_a_token_checks_bring_one(tmp_path: Path, code: Path) -> None:
    env = environment(tmp_path, {"edge1": "edge", "app1": "app"}, image_source=str(code), nginx_auth_request=True)
    asked = context(env, env.host("edge1"), checks(env))
    header = asked["services"]["session-mgr"][0]["headers"]["Authorization"]
    head, body, signature = header.removeprefix("Bearer ").split(".")
    digest = hmac.digest(env.secret("service/jwt").encode(), f"{head}.{body}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "=") == digest
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["userId"] == asked["mark"]
    assert claims["exp"] - claims["iat"] == 300
    assert token("k", "u", 0) != token("other", "u", 0)


def test_a_known_failure_is_reported_without_failing(tmp_path: Path) -> None:
    env = environment(tmp_path)
    (name,) = [each.name for each in env.catalogue.service("backend-api").functional]
    found = judge(env, {"backend-api": {name: "db is down"}, "session-mgr": {"an unknown session is not found": ""}})
    assert (found.failed, found.passed) == ({}, 1)
    assert found.known == {f"backend-api: {name}": "its code opens MySQL, and this platform has none (db is down)"}
    assert str(found) == "1/2 functional checks pass, 1 known to fail"


def test_all_services_are_asked_and_each_answers_for_itself(server: tuple[type[Sessions], int]) -> None:
    _, port = server
    check = {"name": "life", "at": "router", "headers": {}, "requests": lifecycle()}
    gone = {**check, "at": "edge"}
    places = {"router": {"address": "127.0.0.1", "port": port}, "edge": {"address": "127.0.0.1", "port": 1}}
    asked = {"services": {"a": [check], "b": [gone]}, "places": places, "mark": "m", "seconds": 5}
    found = probe([], asked)
    assert found["a"] == {"life": ""}
    assert "Connection refused" in found["b"]["life"]


class Answering(FakeRun):
    """A run whose edge host gives prepared answers and records its questions."""

    def __init__(self, env: Any, *answers: dict[str, dict[str, str]]) -> None:
        self.environment, self._answers = env, list(answers)
        self.asked: list[dict[str, list[str]]] = []

    def ask_source(self, edge: str, source: Path, names: list[str], context: Any) -> Any:
        self.asked.append({name: [check["name"] for check in found] for name, found in context["services"].items()})
        return self._answers.pop(0)


def test_only_failed_requests_are_sent_again(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roles.functional.POLL_SECONDS", 0)
    env = environment(tmp_path, {"edge1": "edge", "app1": "app"}, image_source=str(code))
    wanted = {name: found for name, found in checks(env, {"ledger-mgr"}).items() if name == "ledger-mgr"}
    read, write = (check.name for check in wanted["ledger-mgr"])
    first, second = {read: "500", write: ""}, {read: ""}
    run: Any = Answering(env, {"ledger-mgr": first}, {"ledger-mgr": second})
    result = asked(run, "edge1", wanted)
    assert run.asked == [{"ledger-mgr": [read, write]}, {"ledger-mgr": [read]}]
    assert (result.passed, result.failed) == (2, {})


MISTAKES = {
    "{session}": ("{sesion}", "{sesion} is not known before this request; known: {mark}, {session}"),
    "path: /api/sessions/, body": (
        "path: /api/tokens/, body",
        "no route of this service accepts POST /api/tokens/; correct it, add the route to gateway.yaml, "
        "or send the request to the router (at: router)",
    ),
    'dueDate: "2030-01-01"': ("dueDate: 2030-01-01", "2030-01-01 is read as a date: write it in quotes"),
    "name: an unknown session is not found": (
        "name: a session is created, read and deleted",
        "is already used by another check of this service; choose another",
    ),
    "keep: {session: sessionId}": ("kept: {session: sessionId}", "is not a field here; did you mean 'keep'?"),
}


@pytest.mark.parametrize("there", MISTAKES)
def test_a_mistake_in_a_check_is_refused_with_its_place(tmp_path: Path, there: str) -> None:
    instead, told = MISTAKES[there]
    copy, line = edited(tmp_path, "services.yaml", (there, instead)), line_of("services.yaml", there)
    with pytest.raises(CatalogueError) as refused:
        load(copy)
    problems = [problem for problem in refused.value.problems if told in str(problem)]
    assert problems, str(refused.value)
    assert abs(problems[0].line - line) <= 3

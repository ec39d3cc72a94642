"""Log lines are indexed and found with the pipeline and the template of the role elk, in an OpenSearch of this machine.

Documents have the shape in which Filebeat sends entries of the journal. No host is needed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from search_server import search_server

from nexus.environment.environment import Environment
from roles.elk import search
from roles.elk.host import state
from roles.elk.host.api import Api
from tests.plan.environments import environment

pytestmark = pytest.mark.full

LINES = 6000
AT_ONCE = 1000
REQUEST = "7d1f0c0e5a2b4c3d"  # told of by the edge, the service and the router
FIND_SECONDS = 2
BEGIN = datetime(2026, 11, 30, 12, tzinfo=UTC)

Line = dict[str, Any]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def planned(env: Environment) -> dict[str, dict[str, Any]]:
    """What the role plans, without the lifecycle, which OpenSearch does not have."""
    items = {name: item for name, item in search.items(env).items() if not name.startswith("lifecycle")}
    del items["index template nexus-cos"]["template"]["settings"]["index"]["lifecycle"]
    return items


@pytest.fixture(scope="module")
def server(planned: dict[str, dict[str, Any]], env: Environment) -> Iterator[Api]:
    """A server with the pipeline, the template and all lines."""
    with search_server() as port:
        api = Api("OpenSearch", lambda: HTTPConnection("127.0.0.1", port, timeout=60), "nobody", ["none"])
        for name, item in planned.items():
            state.making(api, name, item)()
        lines = [ordinary(number) for number in range(LINES)] + special()
        for first in range(0, len(lines), AT_ONCE):
            answer = add(api, env, lines[first : first + AT_ONCE])
            assert not answer["errors"], answer
        yield api


def entry(number: int, message: str, host: str = "app1", **fields: str) -> Line:
    """A line as Filebeat sends it: the names of its journald input."""
    return {
        "@timestamp": (BEGIN + timedelta(milliseconds=number)).isoformat(timespec="milliseconds"),
        "message": message,
        "host": {"name": "ops1", "hostname": host, "id": "0" * 32},
        "journald": {"custom": fields, "pid": 700, "host": {"boot_id": "1" * 32}},
        "syslog": {"identifier": "dockerd", "priority": 6},
        "systemd": {"unit": "docker.service"},
        "agent": {"type": "filebeat", "name": "ops1"},
        "input": {"type": "journald"},
        "ecs": {"version": "8.0.0"},
    }


def ordinary(number: int) -> Line:
    """One of many requests: one in fifty fails."""
    service = ("auth-service", "backend-api", "ledger-mgr")[number % 3]
    failed = number % 50 == 0
    said = {
        "timestamp": "2026-11-30T12:00:00Z",
        "level": "error" if failed else "info",
        "service": service,
        "message": f"GET /api/things/{number}",
        "requestId": f"request-{number}",
        "userId": f"user-{number % 100}",
        "duration": number / 1000,
        "statusCode": 500 if failed else 200,
        "clientAddress": "203.0.113.7",
    }
    more = {"service": service, "release": "2.4.1", "task": f"{service}.1.abc", "request_id": f"request-{number}"}
    return entry(number, json.dumps(said), f"app{number % 3 + 1}", **more)


def special() -> list[Line]:
    """Three lines of one request from three hosts, and lines that are not in the platform's format."""
    edge = {"level": "info", "service": "auth-service", "message": "POST /api/auth/login", "requestId": REQUEST}
    told = {**edge, "message": "signed in", "statusCode": 201, "userId": "u-1"}
    return [
        entry(LINES + 1, json.dumps({**edge, "statusCode": 201, "duration": 0.031}), "edge1", service="nginx"),
        entry(LINES + 2, json.dumps({**edge, "message": "POST /api/auth/login 31 ms"}), "edge1", request_id=REQUEST),
        entry(LINES + 3, json.dumps(told), "app2", service="auth-service", task="auth-service.2.def"),
        {**entry(LINES + 4, "disk is nearly full", "data1"), "syslog": {"identifier": "smartd", "priority": 3}},
        entry(LINES + 5, '{"cut": "off', "app3", service="backend-api"),
        entry(
            LINES + 6, '{"message": {"odd": 1}, "duration": "12 ms", "statusCode": "none", "service": ["x"]}', "app3"
        ),
    ]


def add(api: Api, env: Environment, lines: list[Line], names: list[str] | None = None) -> dict[str, Any]:
    """Add lines as Filebeat does, which never changes one that is there."""
    acts = [{"create": {"_id": name}} for name in names] if names else [{"create": {}}] * len(lines)
    pairs = zip(acts, lines, strict=True)
    body = "".join(f"{json.dumps(act)}\n{json.dumps(line)}\n" for act, line in pairs)
    path = f"/{search.stream(env)}/_bulk?refresh=true"
    answer: dict[str, Any] = api.send("POST", path, body.encode(), "application/x-ndjson")
    return answer


def find(api: Api, query: str, **more: str | int) -> dict[str, Any]:
    """The answer to a query, as it is typed in Kibana."""
    words = {"q": query, "sort": "@timestamp", "track_total_hits": "true", **more}
    found: dict[str, Any] = api.get(f"/nexus-cos-*/_search?{urlencode(words)}")["hits"]
    return found


def count(api: Api, query: str) -> int:
    return int(find(api, query)["total"]["value"])


def test_a_second_run_would_change_nothing(server: Api, planned: dict[str, dict[str, Any]]) -> None:
    assert state.existing(server, list(planned), planned) == planned


def test_every_line_is_there(server: Api) -> None:
    assert count(server, "*") == LINES + len(special())
    assert count(server, "unparsed:true") == 0


def test_a_request_is_found_on_all_hosts_by_its_id(server: Api) -> None:
    began = time.monotonic()
    found = find(server, f"requestId:{REQUEST}")
    assert time.monotonic() - began < FIND_SECONDS
    lines = [hit["_source"] for hit in found["hits"]]
    assert [line["hostname"] for line in lines] == ["edge1", "edge1", "app2"]
    assert [line["message"] for line in lines][-1] == "signed in"
    assert lines[-1]["task"] == "auth-service.2.def"


def test_one_of_many_requests_is_found(server: Api) -> None:
    (hit,) = find(server, "requestId:request-4711")["hits"]
    assert hit["_source"] == {
        "@timestamp": "2026-11-30T12:00:04.711+00:00",
        "level": "info",
        "service": "backend-api",
        "message": "GET /api/things/4711",
        "requestId": "request-4711",
        "userId": "user-11",
        "duration": 4.711,
        "statusCode": 200,
        "hostname": "app2",
        "unit": "docker.service",
        "release": "2.4.1",
        "task": "backend-api.1.abc",
        "details": {"clientAddress": "203.0.113.7"},
    }


def test_all_fields_of_the_catalogue_can_be_searched(server: Api, env: Environment) -> None:
    fields = list(env.catalogue.operations.logging.fields)
    known = server.get(f"/nexus-cos-*/_field_caps?fields={','.join(fields)}")["fields"]
    assert set(known) == set(fields)
    assert all(kind["searchable"] for kinds in known.values() for kind in kinds.values())
    assert count(server, "level:error AND statusCode:[500 TO 599]") == LINES // 50
    assert count(server, "userId:user-42") == LINES // 100
    assert count(server, "duration:[1 TO 1.999]") == AT_ONCE
    assert count(server, "timestamp:[2026-11-30T12:00:00Z TO 2026-11-30T12:00:00.999Z]") == 1000
    assert count(server, "service:ledger-mgr AND message:4712") == 1
    assert count(server, "service:ledger-mgr AND message:4713") == 0
    assert count(server, 'message:"nearly full" AND level:error AND service:smartd AND hostname:data1') == 1


def test_odd_lines_are_kept(server: Api) -> None:
    (cut,) = find(server, "hostname:app3 AND service:backend-api AND message:cut")["hits"]
    assert cut["_source"]["message"] == '{"cut": "off'
    (odd,) = find(server, "service:dockerd AND message:odd")["hits"]
    assert odd["_source"]["details"] == {"message": {"odd": 1}, "service": ["x"]}
    assert set(odd["_ignored"]) == {"duration", "statusCode"}


def test_a_line_that_is_sent_again_is_not_there_twice(server: Api, env: Environment) -> None:
    lines = [ordinary(LINES + 100), ordinary(LINES + 101)]
    assert not add(server, env, lines[:1], ["a"])["errors"]
    again = add(server, env, lines, ["a", "b"])
    assert [item["create"]["status"] for item in again["items"]] == [409, 201]
    assert count(server, f"requestId:request-{LINES + 100}") == 1

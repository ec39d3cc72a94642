"""The router: its configuration, which requests it repeats and its reload."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nexus.error import OperatorError
from roles.router.backend import backends
from roles.router.plan import configuration, stack
from tests.plan.real_edge import UNLIMITED, Edge, environment, reason_to_skip, running, wait_until
from tests.plan.router_reload import addresses, alone, hands_over, reloaded, running_stamp

needs_edge = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running(tmp_path_factory.mktemp("router"), router_timeouts_ms={"ledger-mgr": 400}) as edge:
        yield edge


@pytest.fixture
def edge(whole: Edge) -> Iterator[Edge]:
    """The edge that all tests share; after each test its configuration and one task of each service are restored."""
    yield whole
    whole.played.tasks.clear()
    if running_stamp(whole) != configuration(whole.env)[1]:
        reloaded(whole)


def test_slots_leave_room_for_a_rollout(tmp_path: Path) -> None:
    slots = {backend.name: backend.slots for backend in backends(environment(tmp_path))}
    assert len(slots) == 43
    assert (slots["backend-api"], slots["auth-service"]) == (10, 6)
    more = {backend.name: backend.slots for backend in backends(environment(tmp_path, service_replicas={"glitch": 9}))}
    assert more["glitch"] == 18


def test_timeouts_come_from_the_catalogue(tmp_path: Path) -> None:
    timeouts = {backend.name: backend.timeout_ms for backend in backends(environment(tmp_path))}
    assert (timeouts["streaming-service-v2"], timeouts["glitch"]) == (10000, 5000)


def test_stamp_follows_the_content(tmp_path: Path) -> None:
    config, stamp = configuration(environment(tmp_path))
    assert config.count(stamp) == 1
    assert configuration(environment(tmp_path)) == (config, stamp)
    assert configuration(environment(tmp_path, router_retries=2))[1] != stamp
    assert configuration(environment(tmp_path, services_excluded=["glitch"]))[1] != stamp


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"router_windows": ["logon"]}, 'unknown window "logon".*login'),
        ({"router_windows": ["user"]}, "counts by user"),
        ({"router_window_requests": {"gateway": 5}}, "gateway is not among router_windows"),
    ],
)
def test_windows_that_cannot_be_counted(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        configuration(environment(tmp_path, **settings))


def test_stack_definition(tmp_path: Path) -> None:
    definition = stack(environment(tmp_path))
    assert definition["deploy"]["mode"] == "global"
    assert definition["deploy"]["placement"]["constraints"] == ["node.labels.nexus.edge == true"]
    assert {"target": 8088, "published": 8088, "protocol": "tcp", "mode": "host"} in definition["ports"]
    assert definition["volumes"][0]["source"] == "/etc/nexus-cos/router"
    assert definition["volumes"][0]["read_only"] is True


@needs_edge
def test_every_service_has_a_backend(edge: Edge) -> None:
    for name, service in edge.env.catalogue.services.items():
        assert edge.ask_router(name).json["service"] == name
        assert edge.played.ports[service.port] == name


@needs_edge
@pytest.mark.parametrize("service", ["nobody", "", None, "router_unknown", "window_login", "gateway"])
def test_unknown_service(edge: Edge, service: str | None) -> None:
    answer = edge.ask_router(service)
    assert answer.status == 404
    assert answer.json["error"]["code"] == "NOT_FOUND"


@needs_edge
def test_services_do_not_see_the_router_s_own_headers(edge: Edge) -> None:
    answer = edge.ask_router("glitch", headers={"X-Nexus-Limit": "login", "X-Real-IP": "1.2.3.4"})
    headers = answer.json["headers"]
    assert not [name for name in headers if name.startswith("x-nexus")]
    assert headers["x-real-ip"] == "1.2.3.4"


@needs_edge
def test_health_names_the_configuration(edge: Edge) -> None:
    answer = edge.ask_router(None, path="/health")
    assert answer.status == 200
    assert answer.headers["X-Router-Config"] == configuration(edge.env)[1] == running_stamp(edge)
    assert edge.ask_router("glitch", path="/health").json["service"] == "glitch"


@needs_edge
@pytest.mark.parametrize(
    ("method", "times"), [("GET", 4), ("HEAD", 4), ("OPTIONS", 4), ("POST", 1), ("PUT", 1), ("DELETE", 1)]
)
def test_only_safe_requests_are_repeated(edge: Edge, method: str, times: int) -> None:
    path = f"/once/{method}"
    answer = edge.ask_router("pv-keys", method, path, headers={"X-Fault": "drop"}, body=b"pay" if times == 1 else None)
    assert answer.status == 502
    assert len([fact for fact in edge.played.seen if fact["path"] == path]) == times


@needs_edge
def test_another_task_answers_a_repeated_request(edge: Edge) -> None:
    first, second = edge.played.addresses
    edge.played.tasks["scheduler"] = [first, second]
    seen = wait_until(lambda: edge.ask_router("scheduler").json["address"] == second, "the second task is found")
    assert seen
    answers = [edge.ask_router("scheduler", headers={"X-Fault": f"drop {first}"}) for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.json["address"] for answer in answers} == {second}


@needs_edge
def test_post_goes_to_another_task_when_it_was_not_sent(edge: Edge) -> None:
    """The task's address is still in DNS, but no process listens there."""
    first, _ = edge.played.addresses
    gone = f"{edge.played.network}.99"
    edge.played.tasks["token-mgr"] = [first, gone]
    end = time.monotonic() + 3
    while time.monotonic() < end:
        answer = edge.ask_router("token-mgr", "POST", body=b"pay")
        assert (answer.status, answer.json["address"]) == (200, first)


@needs_edge
def test_task_that_left_dns_is_no_longer_asked(edge: Edge) -> None:
    first, second = edge.played.addresses
    edge.played.tasks["metatwin"] = [second]
    wait_until(lambda: edge.ask_router("metatwin").json["address"] == second, "the new address")
    edge.played.tasks["metatwin"] = []
    wait_until(lambda: edge.ask_router("metatwin").status == 503, "no task is left")
    assert edge.ask_router("metatwin").json["error"]["code"] == "SERVICE_UNAVAILABLE"
    edge.played.tasks["metatwin"] = [first]
    wait_until(lambda: edge.ask_router("metatwin").status == 200, "a task is back")


@needs_edge
def test_a_reload_keeps_the_only_task_wherever_it_is_listed(edge: Edge) -> None:
    """As after a release: the new task was listed second, and the first one left."""
    edge.played.tasks["scheduler"] = [*edge.played.addresses]
    wait_until(lambda: "-" not in addresses(edge, "scheduler")[:2], "both tasks")
    last = addresses(edge, "scheduler")[1]
    edge.played.tasks["scheduler"] = [last]
    wait_until(lambda: addresses(edge, "scheduler")[:2] == ["-", last], "the end of the first task")
    log = edge.directory / "haproxy.log"
    before = len(log.read_text())
    for retries in (3, 2):
        reloaded(edge, router_retries=retries)
        wait_until(lambda: addresses(edge, "scheduler")[0] == last, "the task in the first place")
    assert "scheduler/task2 is going DOWN" not in log.read_text()[before:], "for that moment: 503"


@needs_edge
def test_slow_service_is_a_504(edge: Edge) -> None:
    answer = edge.ask("GET", "/api/ledger/x", headers={"X-Fault": "slow"})
    assert answer.status == 504
    assert answer.json["error"]["code"] == "GATEWAY_TIMEOUT"
    assert answer.json["meta"]["requestId"] == answer.headers["X-Request-Id"]


@needs_edge
def test_metrics_by_service(edge: Edge) -> None:
    edge.ask_router("glitch")
    connection = http.client.HTTPConnection("127.0.0.1", edge.metrics, timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    assert re.search(r'haproxy_backend_http_responses_total\{proxy="glitch",code="2xx"\} [1-9]', text)


@needs_edge
def test_reload_loses_neither_requests_nor_counts(edge: Edge) -> None:
    source = "127.78.1.1"
    wait_until(lambda: alone(edge), "the end of workers from before")
    for _ in range(5):
        assert edge.ask("POST", "/api/auth/login", source=source).status == 200
    assert edge.ask("POST", "/api/auth/login", source=source).status == 429
    wait_until(lambda: hands_over(edge), "a worker that hands its counts over")
    stamps = []

    with ThreadPoolExecutor(4) as pool:
        running_requests = pool.map(
            lambda n: edge.ask("POST" if n % 2 else "GET", "/api/orders/x", source=UNLIMITED), range(1500)
        )
        for retries in (2, 3, 2):
            stamps.append(reloaded(edge, router_retries=retries))
            wait_until(lambda: hands_over(edge), "a worker that was told the counts of the one before")
            assert f"key=::ffff:{source} " in edge.tell_router("show table window_login")
        assert [(answer.status, answer.body) for answer in running_requests if answer.status != 200] == []
    assert stamps[0] == stamps[2] != stamps[1]
    assert edge.ask("POST", "/api/auth/login", source=source).status == 429


@needs_edge
def test_a_canary_gets_its_share_and_none_after_removal(edge: Edge) -> None:
    old, new = edge.played.addresses
    edge.played.tasks |= {"glitch": [old], "glitch-canary": [new]}

    def share() -> float:
        """Percentage of 400 requests that the canary answered, by the answers themselves."""
        answers = [edge.ask_router("glitch") for _ in range(400)]
        assert {answer.status for answer in answers} == {200}
        marked = [answer.headers["X-Nexus-Variant"] == "canary" for answer in answers]
        assert marked == [answer.json["address"] == new for answer in answers]
        return 100 * sum(marked) / len(marked)

    reloaded(edge, {"canary glitch": {"percent": 20}})
    wait_until(lambda: edge.ask_router("glitch-canary").status == 200, "the canary")
    assert 12 < share() < 28
    edge.played.tasks["glitch-canary"] = []
    wait_until(lambda: edge.ask_router("glitch-canary").status == 503, "the canary's end")
    assert share() == 0
    reloaded(edge)
    assert share() == 0
    assert edge.ask_router("glitch-canary").status == 404


@needs_edge
def test_broken_configuration_leaves_the_old_workers(edge: Edge) -> None:
    before = running_stamp(edge)
    config = edge.directory / "haproxy.cfg"
    text = config.read_text()
    config.write_text(text + "\nnonsense\n")
    edge.reload_router()
    wait_until(lambda: "nonsense" in (edge.directory / "haproxy.log").read_text(), "the complaint")
    assert running_stamp(edge) == before
    config.write_text(text)

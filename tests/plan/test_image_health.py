"""The health check of an image, run against the reference service: readiness first, then liveness."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path

from tests.plan.loopback import Place
from tests.plan.test_reference import (
    TEMPLATES,
    Dependency,
    Start,
    dependency_,  # noqa: F401 - a fixture
    needs_node,
    start_,  # noqa: F401 - a fixture
    until,
)

HEALTH = TEMPLATES / "health.sh"


@needs_node
def test_health_waits_for_a_service_that_starts(tmp_path: Path, start: Start, dependency: Dependency) -> None:
    place = Place()
    port = place.ports[0]
    env = {"PATH": "/nonexistent", "PORT": str(port), "NEXUS_MARK": str(tmp_path / "mark")}
    check = ["/bin/bash", str(HEALTH), "60"]
    with subprocess.Popen(check, env=env, stdout=subprocess.PIPE, text=True) as waiting:
        dependency.status = 500
        service = start(DEPENDS_ON=dependency.variable, PORT=str(port))  # instead of its own port
        until(lambda: dependency.asked > 1)
        assert waiting.poll() is None
        dependency.status = 200
        assert waiting.wait(60) == 0
    assert (tmp_path / "mark").exists()
    service.process.kill()
    service.process.wait()
    ended = subprocess.run(check, env=env, capture_output=True, text=True, timeout=60)  # only liveness counts now
    assert (ended.returncode, ended.stdout) == (1, f"nothing listens on port {port}\n")


@needs_node
def test_health_asks_readiness_first_and_then_liveness(tmp_path: Path, start: Start, dependency: Dependency) -> None:
    service = start(DEPENDS_ON=dependency.variable)
    (tmp_path / "config").write_text(f"SERVICE_NAME=demo\nPORT={service.port}\n")
    env = {"PATH": "/nonexistent", "NEXUS_SECRETS": str(tmp_path), "NEXUS_MARK": str(tmp_path / "mark")}

    def health() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["/bin/bash", str(HEALTH)], env=env, capture_output=True, text=True, timeout=60)

    dependency.status = 500
    first = health()
    assert first.returncode == 1
    assert "friend: answers 500" in first.stdout
    dependency.status = 200
    until(lambda: health().returncode == 0)
    asked, dependency.status = dependency.asked, 500
    until(lambda: service.ask("/health/ready")[0] == 503)
    assert dependency.asked > asked
    assert health().returncode == 0
    service.process.kill()
    service.process.wait()
    assert health().returncode == 1


def watch(port: int, mark: Path, *numbers: int) -> subprocess.Popen[str]:
    """A check of a service that was ready before: `numbers` are START, WATCH, PERIOD and ANSWER."""
    mark.touch()
    env = {"PATH": "/nonexistent", "PORT": str(port), "NEXUS_MARK": str(mark), "PROBE_LIVE": "/alive"}
    command = ["/bin/bash", str(HEALTH), *map(str, numbers)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def test_a_service_that_was_ready_is_watched_by_one_check(tmp_path: Path, dependency: Dependency) -> None:
    with watch(dependency.server_port, tmp_path / "mark", 0, 5, 1, 10) as check:
        assert check.communicate(timeout=60)[0] == ""
    assert check.returncode == 0
    assert dependency.asked >= 3


def test_a_watch_ends_at_the_first_unanswered_question(tmp_path: Path, dependency: Dependency) -> None:
    with watch(dependency.server_port, tmp_path / "mark", 0, 600, 1, 10) as check:
        until(lambda: dependency.asked > 1)
        assert check.poll() is None
        dependency.status = 500
        said, _ = check.communicate(timeout=60)
    assert check.returncode == 1
    assert said.startswith("/alive answers HTTP/1.0 500")


def test_a_full_queue_does_not_block_the_health_check(tmp_path: Path) -> None:
    with contextlib.ExitStack() as open_until_the_end:
        server = open_until_the_end.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = server.getsockname()[1]
        with contextlib.suppress(TimeoutError):
            while True:  # fill the queue: no connection is accepted
                waiting = open_until_the_end.enter_context(socket.socket())
                waiting.settimeout(0.5)
                waiting.connect(("127.0.0.1", port))
        with watch(port, tmp_path / "mark", 0, 600, 10, 1) as check:
            said, _ = check.communicate(timeout=60)
    assert (check.returncode, said) == (1, f"port {port} lets nobody in\n")

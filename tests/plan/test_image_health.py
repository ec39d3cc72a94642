"""The health check of an image, run against the reference service: readiness first, liveness from then on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from test_reference import (
    TEMPLATES,
    Dependency,
    Start,
    dependency_,  # noqa: F401 - a fixture
    free_port,
    needs_node,
    start_,  # noqa: F401 - a fixture
    until,
)

HEALTH = TEMPLATES / "health.sh"


@needs_node
def test_health_waits_for_a_service_that_starts(tmp_path: Path, start: Start, dependency: Dependency) -> None:
    port = free_port()
    env = {"PATH": "/nonexistent", "PORT": str(port), "NEXUS_MARK": str(tmp_path / "mark")}
    check = ["/bin/bash", str(HEALTH), "60"]
    with subprocess.Popen(check, env=env, stdout=subprocess.PIPE, text=True) as waiting:
        dependency.status = 500
        service = start(DEPENDS_ON=dependency.variable, PORT=str(port))
        until(lambda: dependency.asked > 1)
        assert waiting.poll() is None
        dependency.status = 200
        assert waiting.wait(10) == 0
    assert (tmp_path / "mark").exists()
    service.process.kill()
    service.process.wait()
    ended = subprocess.run(check, env=env, capture_output=True, text=True, timeout=15)  # it is alive or it is not
    assert (ended.returncode, ended.stdout) == (1, f"nothing listens on port {port}\n")


@needs_node
def test_health_asks_readiness_until_it_was_seen_and_liveness_from_then_on(
    tmp_path: Path, start: Start, dependency: Dependency
) -> None:
    service = start(DEPENDS_ON=dependency.variable)
    (tmp_path / "config").write_text(f"SERVICE_NAME=demo\nPORT={service.port}\n")
    env = {"PATH": "/nonexistent", "NEXUS_SECRETS": str(tmp_path), "NEXUS_MARK": str(tmp_path / "mark")}

    def health() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["/bin/bash", str(HEALTH)], env=env, capture_output=True, text=True, timeout=15)

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

"""Metrics of roles: what programs on hosts write, and what is computed from the access log."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import metrics
from roles.base.host import metrics as base
from roles.exporter.plan import exporters, textfiles
from roles.exporter.plan import plan as exporter_plan
from roles.nginx.exporters import program
from roles.nginx.records import records
from roles.prometheus.plan import configuration
from roles.swarm.host import metrics as swarm
from tests.plan.environments import environment
from tests.plan.store_environment import text

NOW = swarm.seconds("2026-01-01T01:00:00.123456789Z")
LINE = (
    '{{"timestamp":"2026-01-01T00:00:00+00:00","level":"info","service":"{}","message":"{}","requestId":"1",'
    '"userId":"","duration":{},"statusCode":{},"host":"api.example.com"}}\n'
)


def service(name: str, **limits: int) -> dict[str, Any]:
    resources = {kind: {"MemoryBytes": size} for kind, size in limits.items()}
    spec = {"Labels": {"nexus.service": name}, "Mode": {"Replicated": {"Replicas": 2}}}
    return {"ID": name, "Spec": {**spec, "TaskTemplate": {"Resources": resources}}}


def task(slot: int, state: str, at: str, wanted: str = "shutdown") -> dict[str, Any]:
    status = {"State": state, "Timestamp": f"2026-01-01T{at}Z"}
    return {"ServiceID": "glitch", "Slot": slot, "DesiredState": wanted, "Status": status}


def values(found: Any, name: str) -> dict[str, float]:
    return {" ".join(labels.values()): value for metric, labels, value in found if metric == name}


def test_failures_are_counted_by_slot_and_forgotten() -> None:
    tasks = [
        task(1, "failed", "00:50:00.5"),
        task(1, "failed", "00:59:00.5"),
        task(1, "failed", "00:40:00.5"),  # too long ago
        task(2, "rejected", "00:59:00.5"),
        task(2, "shutdown", "00:59:00.5"),
        task(2, "running", "00:59:30.5", "running"),
    ]
    found = list(swarm.tasks({"glitch": service("glitch")}, tasks, NOW))
    assert values(found, "nexus_service_failed_tasks") == {"glitch": 2}
    assert values(found, "nexus_service_tasks") == {"glitch running": 1}
    assert values(found, "nexus_service_tasks_wanted") == {"glitch": 2}


def test_a_service_without_tasks_has_none_running() -> None:
    found = list(swarm.tasks({"glitch": service("glitch")}, [], NOW))
    assert values(found, "nexus_service_tasks") == {"glitch running": 0}


@pytest.mark.parametrize(
    ("limits", "size"), [({"Limits": 5, "Reservations": 3}, 5), ({"Reservations": 3}, 3), ({}, 0), ({"Limits": 0}, 0)]
)
def test_memory_limit_is_that_of_the_service(limits: dict[str, int], size: int) -> None:
    assert swarm.memory(service("glitch", **limits)) == size


def test_memory_is_what_counts_against_the_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    assert swarm.used(str(tmp_path)) == 700


def test_memory_is_found_without_control_groups(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n999999999\n")
    assert swarm.used(str(tmp_path)) > 1 << 20


def test_values_are_escaped() -> None:
    found = metrics.text([("a", {"x": 'q"\\\n'}, 1), ("b", {}, 0.5), ("a", {"x": "y"}, 1796031670)])
    assert found == ('# TYPE a gauge\na{x="q\\"\\\\\\n"} 1\na{x="y"} 1796031670\n# TYPE b gauge\nb{} 0.5\n')


def test_a_reboot_is_asked_for_since_the_package_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "REQUIRED", str(tmp_path / "required"))
    monkeypatch.setattr(base, "KERNELS", str(tmp_path / "vmlinuz-*"))
    assert next(base.samples([]))[2] == 0
    (tmp_path / "required").touch()
    assert 0 <= next(base.samples([]))[2] < 60


def test_programs_of_metrics_have_timers(tmp_path: Path) -> None:
    env = environment(tmp_path)
    host = env.host("app1")
    names = [one.name for one in textfiles(env, host)]
    assert names == ["host", "certificate", "updates", "swarm", "log_forwarder"]
    units = {unit.name for unit in exporter_plan(env, host).units}
    assert {f"nexus-metrics-{name}.timer" for name in names} <= units
    unit = text(exporter_plan(env, host), "/etc/systemd/system/nexus-metrics-swarm.service")
    assert "-m roles.exporter.host.textfile swarm 60 roles.swarm.host.metrics manager\n" in unit


def test_probes_ask_every_edge_host_by_name(tmp_path: Path) -> None:
    env = environment(tmp_path)
    probe = next(one for one in exporters(env, env.host("ops1")) if one.job == "probe")
    domain = env.setting.domain
    assert f"edge1 {domain}/health" in probe.queries
    assert any(query["module"] == "route-platform" for query in probe.queries.values())
    scrapes = configuration(env, env.host("ops1"))["scrape_configs"]
    modules = [scrape["params"]["module"] for scrape in scrapes if scrape["params"]["module"][0] == "probe"]
    assert ["probe", "health-platform"] in modules


def test_every_module_has_its_service_levels(tmp_path: Path) -> None:
    env = environment(tmp_path)
    modules = {
        record.labels["module"] for record in records(env) if record.name == "module:request_errors:ratio_rate5m"
    }
    assert modules == {module.slug for module in env.catalogue.modules if module.services}


@pytest.mark.skipif(not shutil.which("mtail"), reason="mtail is not installed here")
def test_access_log_is_counted_by_service(tmp_path: Path) -> None:
    (tmp_path / "progs").mkdir()
    (tmp_path / "progs/nginx.mtail").write_text(program(environment(tmp_path)))
    forged = r"GET /x\",\"duration\":9.0,\"statusCode\":500,"
    lines = [("auth-service", "POST /api/v1/auth/login", "0.1", 401), ("glitch", forged, "0.02", 404)]
    lines += [("glitch", "GET /ws", "300.0", 101), ("glitch", "GET /y", "0.2", 502)]
    (tmp_path / "access.log").write_text("".join(LINE.format(*line) for line in lines))
    asked = ["--one_shot", "--one_shot_format=prometheus", "--emit_prog_label=false", "--port=0", "--logtostderr"]
    command = ["mtail", *asked, "--progs", str(tmp_path / "progs"), "--logs", str(tmp_path / "access.log")]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "nginx_login_failures_total 1" in found
    assert 'nginx_requests_total{class="4xx",service="glitch"} 1' in found
    assert 'nginx_requests_total{class="5xx",service="glitch"} 1' in found
    assert 'nginx_requests_total{class="5xx",service="auth-service"} 0' in found
    assert 'nginx_request_duration_seconds_count{service="glitch"} 2' in found  # without the WebSocket

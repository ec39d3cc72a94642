"""Daily work on hosts: runs of other checkouts respect kept values, and a restart causes no outage.

On the lab, or with NEXUS_ENV on an environment that is up.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import Control, Outcome, copy_of_project
from readiness import Readiness

from nexus.provider import lab

REASON = lab.reason_lab_cannot_run()
SERVICE = "auth-service"
RUNNING = f"sudo docker service ps --filter desired-state=running --format '{{{{.ID}}}} {{{{.Node}}}}' nexus_{SERVICE}"
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


def tasks(control: Control) -> dict[str, str]:
    """The running tasks of the service, and their hosts."""
    lines = control.ssh(control.group("app")[0], RUNNING).splitlines()
    return dict(line.split(" ", 1) for line in lines)


def daily(control: Control, name: str, **data: Any) -> Outcome:
    done = control.run(deploy=f"deploys/{name}.py", data=data)
    assert done.status == 0, done.end
    return done


@pytest.mark.full
def test_replicas_are_kept_by_runs_of_another_checkout(control: Control, tmp_path: Path, figure: Figure) -> None:
    before = len(tasks(control))
    dry = control.run("--dry", deploy="deploys/scale.py", data={"service": SERVICE, "replicas": str(before + 1)})
    assert f"would 1/1: Set replicas of {SERVICE}: {before} -> {before + 1}" in dry.output, dry.end
    assert len(tasks(control)) == before
    try:
        done = daily(control, "scale", service=SERVICE, replicas=str(before + 1))
        figure(f"{control.name}: one replica added", done.seconds)
        assert len(tasks(control)) == before + 1
        other = Control(control.name, copy_of_project(tmp_path / "other", environment=control.name))
        again = other.run()
        assert (again.status, again.changes) == (0, []), again.end
        assert len(tasks(control)) == before + 1
    finally:
        daily(control, "scale", service=SERVICE, replicas="catalogue")
    assert len(tasks(control)) == before
    assert control.converged().changes == []


def test_a_restart_replaces_tasks_without_an_outage(control: Control, figure: Figure) -> None:
    before = tasks(control)
    with Readiness(control) as readiness:
        done = daily(control, "restart", service=SERVICE)
    figure(f"{control.name}: a service restarted", done.seconds)
    assert readiness.failed == []
    after = tasks(control)
    assert len(after) == len(before)
    assert not set(after) & set(before)
    assert control.converged().changes == []


def test_a_unit_restarts_on_the_host_that_was_named(control: Control) -> None:
    host = control.group("edge")[0]
    show = "systemctl show -P MainPID nginx"
    before = control.ssh(host, show)
    daily(control, "restart", unit="nginx", host=host)
    assert control.ssh(host, show) != before


@pytest.mark.full
def test_a_closed_service_answers_with_a_page_until_it_is_opened(control: Control, tmp_path: Path) -> None:
    path = next(route.path for route in control.planned.catalogue.routes if route.service == SERVICE)
    assert answer(control, path)[0] != 503
    try:
        daily(control, "maintenance", service=SERVICE)
        status, headers, body = answer(control, path)
        assert (status, headers["Retry-After"]) == (503, "600")
        assert json.loads(body)["error"]["code"] == "SERVICE_UNAVAILABLE"
        status, headers, body = answer(control, path, Accept="text/html")
        assert status == 503
        assert headers["Content-Type"].startswith("text/html")
        assert "Maintenance" in body
        other = Control(control.name, copy_of_project(tmp_path / "other", environment=control.name))
        assert other.run().changes == []
        assert answer(control, path)[0] == 503
        checked = control.run(deploy="deploys/daily_checks.py", data={"which": "evening"})
        assert f"maintenance {SERVICE}" in checked.output
    finally:
        daily(control, "maintenance", service=SERVICE, back="true")
    assert answer(control, path)[0] != 503
    assert control.converged().changes == []


def answer(control: Control, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    """The edge's answer, as seen from this machine."""
    env = control.planned
    edge = env.group("edge")[0]
    trust = ssl.create_default_context(cafile=str(control.lab.access / "ca.pem"))
    trust.check_hostname = False  # the request goes to an address, under the domain's name
    connection = http.client.HTTPSConnection(edge.address, edge.setting.nginx_https_port, context=trust, timeout=10)
    connection.request("GET", path, headers={"Host": f"api.{env.setting.domain}", **headers})
    found = connection.getresponse()
    text = found.read().decode()
    connection.close()
    return found.status, found.headers, text


@pytest.mark.full
def test_a_drained_host_runs_nothing_without_an_outage(control: Control, tmp_path: Path, figure: Figure) -> None:
    apps = control.group("app")
    if len(apps) == 1:
        refused = control.run(deploy="deploys/maintenance.py", data={"host": apps[0]})
        assert (refused.status, refused.changes) == (1, [])
        assert "no other app host would be left" in refused.output
        return
    host = apps[-1]
    node = f"sudo docker node ps {host} --filter desired-state=running -q | wc -l"
    try:
        with Readiness(control) as readiness:
            done = daily(control, "maintenance", host=host)
        figure(f"{control.name}: a host drained", done.seconds)
        assert readiness.failed == []
        assert control.ssh(apps[0], node).strip() == "0"
        other = Control(control.name, copy_of_project(tmp_path / "other", environment=control.name))
        assert other.run().changes == []
    finally:
        daily(control, "maintenance", host=host, back="true")
    assert control.converged().changes == []


def test_logs_match_the_request(control: Control) -> None:
    store, edge = control.group("ops")[0], control.group("edge")[0]
    output = daily(control, "logs", service=SERVICE, since="1d", lines="5").output
    found = re.search(rf"== {store}: (\d+) lines", output)
    assert found, output
    assert 0 < int(found[1]) <= 5
    assert len(re.findall(rf" {SERVICE}\.\d+\.", output)) == int(found[1])
    output = daily(control, "logs", unit="nginx", host=edge, grep="no line holds this").output
    assert f"== {store}: 0 lines" in output


@pytest.mark.parametrize("which", ["morning", "evening", "security"])
def test_the_checks_of_the_day_are_asked(control: Control, which: str) -> None:
    """Missed targets depend on the environment; this test requires only an answer to each check."""
    done = control.run(deploy="deploys/daily_checks.py", data={"which": which, "format": "json"})
    text = done.output
    said = json.loads(text[text.index('{\n "environment"') : text.rindex("\n}") + 2])
    areas = {line["area"] for line in said["lines"]}
    assert set(control.planned.catalogue.operations.daily_checks.of(which)) <= areas
    assert "Traceback" not in text
    assert done.status == (1 if said["missed"] else 0)

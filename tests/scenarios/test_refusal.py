"""Refusals that need answers from hosts: afterwards, nothing on any host may differ."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control import Control, Outcome, copy_of_project

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

PLACES = ("/etc", "/usr", "/opt", "/root", "/var/lib/nexus-cos", "/var/lib/dpkg")
TIMERS = "systemctl list-units --all --plain --no-legend 'nexus-cos-*.timer' | cut -d' ' -f1"
BACKUP_SECONDS = 300
REASON = lab.reason_lab_cannot_run()
pytestmark = [
    pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}"),
    pytest.mark.usefixtures("untouched"),
]


@pytest.fixture(scope="module")
def still(control: Control) -> Iterator[None]:
    """Nothing starts on any host meanwhile: a backup would write during the test."""
    timers = control.everywhere(lambda host: control.ssh(host, TIMERS).split())
    hosts = [host for host, names in timers.items() if names]
    services = {host: " ".join(name.replace(".timer", ".service") for name in timers[host]) for host in hosts}
    control.everywhere(lambda host: control.ssh(host, f"sudo systemctl stop {' '.join(timers[host])}"), hosts)
    try:
        assert wait_until(lambda: not any(under_way(control, services).values()), BACKUP_SECONDS, pause=1)
        yield
    finally:
        control.everywhere(lambda host: control.ssh(host, f"sudo systemctl start {' '.join(timers[host])}"), hosts)


def under_way(control: Control, services: dict[str, str]) -> dict[str, str]:
    """Which of these services are running: {host: states}."""
    ask = "systemctl is-active {} | grep -E '^(active|activating|deactivating)$' || true"
    return control.everywhere(lambda host: control.ssh(host, ask.format(services[host])), list(services))


@pytest.fixture(scope="module")
def untouched(control: Control, still: None) -> Iterator[None]:
    """After the last refusal no host may have a changed file, a restarted process or a rolled service."""
    began = time.time()
    before = control.everywhere(lambda host: control.ask(host, "identity.py"))
    yield
    find = f"sudo find {' '.join(PLACES)} -xdev -newerct @{began:.3f}"
    assert control.everywhere(lambda host: control.ssh(host, find)) == dict.fromkeys(control.names, "")
    assert control.everywhere(lambda host: control.ask(host, "identity.py")) == before


def refuse(control: Control, *said: str, limit: str = "", deploy: str = "deploys/full.py", data: Any = None) -> None:
    """Refused in a dry run and then in a real one: a run that is not refused must not reach a host."""
    words = ("--limit", limit) if limit else ()
    refused(control.run("--dry", *words, deploy=deploy, data=data), *said)
    refused(control.run(*words, deploy=deploy, data=data), *said)


def refused(outcome: Outcome, *said: str) -> None:
    """The run ended with these words and no change."""
    assert outcome.status == 1, outcome.end
    assert "Traceback" not in outcome.output, outcome.end
    for words in said:
        assert words in outcome.output, outcome.end
    assert "Nothing was changed on any host." in outcome.output, outcome.end
    assert outcome.changes == []


def test_a_disk_without_room_for_images(control: Control) -> None:
    """The release is not built yet, and the setting demands more free space than any disk has."""
    registry = control.group("ops")[0]
    said = f"{registry}: image cannot be deployed: not enough disk for images"
    refuse(control, said, "MiB free and", data={"release": f"0.0.0-{uuid.uuid4().hex}", "image_disk_free_bytes": 2**60})


def test_services_that_do_not_fit(control: Control) -> None:
    said = ("do not fit on its hosts", "GiB requested", "lower service_replicas_max")
    refuse(control, *said, data={"service_memory_scale": 1.0})


def test_a_limit_that_leaves_half_of_a_cluster_undone(control: Control) -> None:
    apps = control.group("app")
    if len(apps) == 1:
        pytest.skip(f"{control.name} has one app host")
    refuse(control, "must run on all of its hosts, but --limit excludes", apps[1], limit=apps[0])


def test_services_without_the_host_that_knows_their_images(control: Control) -> None:
    """A plan without digests would roll every service."""
    registry = control.group("ops")[0]
    if registry in control.group("app"):
        pytest.skip(f"{registry} runs services too")
    said = f"service needs to know the images on {registry}, and this run does not reach it"
    refuse(control, said, limit="app", deploy="deploys/service.py")


def test_one_of_several_hosts_does_not_answer(control: Control, tmp_path: Path) -> None:
    copy = copy_of_project(tmp_path / "copy", environment=control.name)
    with (copy / f"inventory/{control.name}.py").open("a") as inventory:
        inventory.write('app[-1][1]["ssh_port"] = 1  # nobody listens there\n')
    away = control.group("app")[-1]
    said = f"no connection to {away}; see the reason above"
    refuse(Control(control.name, copy), said, f"{control.lab.host(away).address} port 1")

"""The ops host loses its data, or all of itself: one run brings back registry, record, backups and metrics."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
from backup_bucket import bucket
from conftest import Figure
from control import Control, Outcome

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until
from roles.backup.plan import copy_holder
from roles.storage.plan import server

RUN = re.compile(r"^  run (\d+)", re.MULTILINE)
QUIET_SECONDS = 600  # until no alert fires and no target is missed: some alerts look back five minutes
UP = "http://127.0.0.1:9090/api/v1/query?query=count(up==1)"
UNITS = "docker-registry seaweedfs-front.socket seaweedfs-front seaweedfs"
STORAGE = "/var/lib/docker-registry /var/lib/seaweedfs"


@dataclass(frozen=True)
class Before:
    """What there was before the loss."""

    tasks: dict[str, list[str]]  # containers, by host
    images: list[str]  # references that they run
    runs: set[str]
    saved: set[str]  # keys of backups


def done(outcome: Outcome) -> Outcome:
    """The run, which must succeed."""
    assert outcome.status == 0, outcome.end
    return outcome


def workers(control: Control) -> list[str]:
    return [*control.group("app"), *control.group("edge")]


def tasks(control: Control) -> dict[str, list[str]]:
    """Containers of each host that runs services: another id is another task."""
    words = "sudo docker ps --no-trunc --format '{{.ID}}'"
    return control.everywhere(lambda name: sorted(control.ssh(name, words).split()), workers(control))


def images(control: Control) -> list[str]:
    """References of the images that run, as the swarm gave them: NAME:TAG@DIGEST."""
    words = "sudo docker ps -q | xargs -r sudo docker inspect --format '{{.Config.Image}}'"
    found = control.everywhere(lambda name: control.ssh(name, words).split(), workers(control))
    return sorted({reference for names in found.values() for reference in names})


def history(control: Control) -> set[str]:
    """Numbers of all runs on record."""
    told = done(control.run(deploy="deploys/history.py", data={"since": "30d"}))
    return set(RUN.findall(told.output))


def saved(control: Control) -> set[str]:
    """Keys of the bucket of backups; records and infos are written again and again."""
    with bucket(control) as within:
        return {key for key, _ in within.list() if not key.startswith("status/")}


@pytest.fixture
def before(platform: Control) -> Before:
    """A platform with new backups, all of them copied."""
    if not server(platform.planned) or not copy_holder(platform.planned):
        pytest.skip(f"{platform.name} has no object storage of its own, or no second host for its copy")
    done(platform.run(deploy="deploys/backup.py"))
    found = Before(tasks(platform), images(platform), history(platform), saved(platform))
    assert len(found.images) > 10
    assert found.runs
    assert any("backup.manifest" in key for key in found.saved)
    return found


def check_back(control: Control, before: Before) -> None:
    """Everything is there again, and no task was replaced."""
    assert tasks(control) == before.tasks, "services restarted"
    assert control.ask(control.group("app")[0], "images.py", before.images) == {}
    assert before.saved <= saved(control), sorted(before.saved - saved(control))[:5]
    assert before.runs <= history(control)
    done(control.run(deploy="deploys/restore_test.py"))
    done(control.run(deploy="deploys/backup.py"))
    assert done(control.run()).changes == []


def quiet(control: Control) -> Any:
    """The status once it misses no target, alerts included; the last one after too long a time."""
    last = control.run(deploy="deploys/status.py")

    def calm() -> bool:
        nonlocal last
        last = control.run(deploy="deploys/status.py")
        return last.status == 0

    wait_until(calm, QUIET_SECONDS, pause=10)
    return last


def test_storage_of_registry_and_buckets_wiped(platform: Control, before: Before, figure: Figure) -> None:
    """The disk with images, backups and objects is lost; the host stays."""
    lost = platform.group("ops")[0]
    wipe = f"find {STORAGE} -mindepth 1 -delete"
    platform.ssh(
        lost, f"sudo sh -c 'systemctl stop {UNITS}; {wipe}; systemctl start seaweedfs docker-registry'", "", 180
    )
    platform.ssh(lost, "sudo systemctl start seaweedfs-front.socket")
    back = done(platform.run())
    figure("storage of the ops host wiped: the run that brings it back", back.seconds)
    check_back(platform, before)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_ops_host_wiped(platform: Control, before: Before, figure: Figure) -> None:
    """A bare host of its name and address takes its place."""
    lost = platform.group("ops")[0]
    began = time.monotonic()
    platform.host(lost).remove()
    refused = platform.run()
    assert refused.status != 0
    assert f"no connection to {lost}" in refused.output
    lab.up(platform.lab)
    back = done(platform.run())
    figure("ops host wiped: the run that brings it back", back.seconds)
    figure("ops host wiped: time until it is back", time.monotonic() - began)
    assert back.closing[1] == back.closing[2] > 0
    check_back(platform, before)
    answer = platform.ssh(lost, f"curl -sfG '{UP}'")
    assert '"status":"success"' in answer
    assert int(re.findall(r'"(\d+)"\]', answer)[0]) > len(platform.names), answer
    last = quiet(platform)
    figure("ops host wiped: time until no alert fires", time.monotonic() - began)
    assert last.status == 0, last.end

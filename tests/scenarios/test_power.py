"""Hosts fail and return: the platform recovers without a run, and a run afterwards finds nothing to change."""

from __future__ import annotations

import time
from contextlib import nullcontext

import pytest
from comparison import differences, stale
from conftest import Figure
from control import Control
from redis_writes import agreed

from nexus.provider.lab.machine import wait_until

REBOOT_SECONDS = 180
LOSS_SECONDS = 60


def test_every_host_rebooted_at_once(platform: Control, figure: Figure) -> None:
    before = platform.everywhere(lambda name: boot_id(platform, name))
    began = time.monotonic()
    platform.everywhere(lambda name: platform.ssh(name, "sudo systemctl --no-block reboot"))

    def all_new() -> bool:
        now = platform.everywhere(lambda name: boot_id(platform, name))
        return all(now[name] not in ("", before[name]) for name in now)

    assert wait_until(all_new, REBOOT_SECONDS, pause=1)
    platform.wait_healthy(REBOOT_SECONDS - (time.monotonic() - began))
    figure("lab: all hosts rebooted, until every service is ready", time.monotonic() - began)
    assert wait_until(lambda: agreed(platform), REBOOT_SECONDS, pause=1), "no end of Redis's election"
    again = platform.converged()
    assert again.changes == []
    assert stale(platform.state()) == []


@pytest.mark.full
def test_an_app_host_powered_off(platform: Control, figure: Figure) -> None:
    """The first app host: the manager that runs talk to, and the swarm's leader unless it has moved."""
    lost, other = platform.group("app")[0], platform.group("app")[1]
    state = platform.state()
    host = platform.host(lost)
    host.poweroff()
    began = time.monotonic()
    try:
        assert wait_until(lambda: bool(platform.unhealthy()) or node(platform, other, lost) == "Down", LOSS_SECONDS)
        platform.wait_healthy(LOSS_SECONDS - (time.monotonic() - began))
        figure("lab: an app host lost, until every service is ready", time.monotonic() - began)
        refused = platform.run()
        assert refused.status != 0
        assert lost in refused.output
        assert refused.changes == []
        without = platform.run(data={"without": lost})
        assert without.status == 0, without.end
        assert f"without {lost}" in without.output
    finally:
        host.start()
    assert wait_until(lambda: node(platform, other, lost) == "Ready", 90, pause=1)
    platform.converged()
    assert platform.converged().changes == []
    assert differences(state, platform.state()) == []


@pytest.mark.full
def test_a_host_that_dies_in_the_middle_of_a_step(platform: Control, figure: Figure) -> None:
    """The run reports the dead host and ends instead of waiting; the next run continues from there."""
    lost = platform.group("rabbitmq")[0]
    changed = {"rabbitmq_disk_free_limit_mb": 501}

    def die(_: object) -> nullcontext[None]:
        platform.host(lost).kill()
        return nullcontext()

    try:
        done = platform.disturbed("rabbitmq", 0, 0.5, die, deploy="deploys/data.py", data=changed)
    finally:
        platform.host(lost).start()
    figure("lab: a host died in the middle of a step, the run", done.seconds)
    assert done.status not in (0, None), done.end
    assert f"[{lost}]" in done.output, done.end
    assert "the connection was lost before this step ended" in done.output, done.end
    assert "Traceback" not in done.output, done.end
    assert wait_until(lambda: platform.host(lost).answers(), REBOOT_SECONDS, pause=1)
    assert wait_until(lambda: agreed(platform), REBOOT_SECONDS, pause=1)
    platform.converged(changed)
    assert platform.converged(changed).changes == []
    platform.converged()


def boot_id(platform: Control, name: str) -> str:
    """The boot id of the host; empty while it does not answer."""
    try:
        return platform.ssh(name, "cat /proc/sys/kernel/random/boot_id").strip()
    except RuntimeError:
        return ""


def node(platform: Control, manager: str, name: str) -> str:
    """The status of a node as a manager lists it; empty while the manager does not answer."""
    try:
        form = "{{.Hostname}} {{.Status}}"
        rows = platform.ssh(manager, f"sudo docker node ls --format '{form}'").splitlines()
    except RuntimeError:
        return ""
    return dict(row.split() for row in rows).get(name, "")

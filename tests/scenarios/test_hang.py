"""A service that runs but no longer works: its own health check in the container fails, and Swarm replaces it."""

from __future__ import annotations

import time

import pytest
from conftest import Figure
from control import Control

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until

REASON = lab.reason_lab_cannot_run()
SERVICE = "vscreen-hollywood"  # one task, and nothing depends on it
RUNNING = (
    "sudo docker service ps --no-trunc --filter desired-state=running "
    f"--format '{{{{.ID}}}} {{{{.Node}}}} {{{{.CurrentState}}}}' nexus_{SERVICE}"
)
STOP = f"""sudo sh -ec '
    container=$(docker ps -q --filter name=nexus_{SERVICE}.)
    kill -STOP $(docker top "$container" -eo pid,comm | sed -n "s/ *node$//p")'"""
CONTAINER = f"$(sudo docker ps -q --filter name=nexus_{SERVICE}.)"
WATCHING = f"sudo docker top {CONTAINER} -eo pid,comm | grep -c ' nexus-health$' || true"
SECONDS = 120  # time for the replacement: three checks of 5 s every 10 s, and a start
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


def task(control: Control) -> tuple[str, str, str]:
    """The task that should run: its id, host and state; empty if there is none at the moment."""
    lines = control.ssh(control.group("app")[0], RUNNING).splitlines()
    identity, host, state = lines[0].split(" ", 2) if lines else ("", "", "")
    return identity, host, state


def test_a_service_that_hangs_is_replaced(platform: Control, figure: Figure) -> None:
    before, host, state = task(platform)
    assert state.startswith("Running")
    assert wait_until(lambda: int(platform.ssh(host, WATCHING)) >= 1, 30)  # one long process watches it
    platform.ssh(host, STOP)
    began = time.monotonic()
    assert SERVICE in platform.unhealthy() or task(platform)[0] != before
    while (now := task(platform))[0] in ("", before) or not now[2].startswith("Running"):
        assert time.monotonic() - began < SECONDS, now
        time.sleep(1)
    figure("a service that hangs: time until another runs", time.monotonic() - began)
    platform.wait_healthy(60)
    said = platform.ssh(
        platform.group("app")[0],
        f"sudo docker service ps --no-trunc --format '{{{{.ID}}}} {{{{.Error}}}}' nexus_{SERVICE}",
    )
    assert "unhealthy" in next(line for line in said.splitlines() if line.startswith(before))
    assert platform.converged().changes == []

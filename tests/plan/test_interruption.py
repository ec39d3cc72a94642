"""Runs that a signal stops before any change: the real command line, and a slow host."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.plan.project_copy import NOTHING, Project

SIGNALS = {signal.SIGINT: "SIGINT (Ctrl-C)", signal.SIGTERM: "SIGTERM (kill)", signal.SIGHUP: "SIGHUP"}
AGAIN = "Run the same command again"


def begun(project: Project, *words: str) -> subprocess.Popen[str]:
    """A run whose hosts have a question and do not answer."""
    project.hosts.free.clear()
    running = project.start("inventory", *words)
    wait_for(lambda: bool(project.hosts.commands), running)
    return running


def wait_for(happened: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(running: subprocess.Popen[str]) -> str:
    try:
        return running.communicate(timeout=20)[0]
    finally:
        running.kill()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: signal.Signals(number).name)
def test_stopped_while_hosts_are_asked(project: Project, number: signal.Signals) -> None:
    running = begun(project, "deploys/full.py", "-y")
    running.send_signal(number)
    text = ended(running)
    assert running.returncode == 128 + number, text
    assert f"INCOMPLETE: stopped by {SIGNALS[number]}" in text
    assert "under way: data1: " in text
    assert NOTHING in text
    assert AGAIN in text
    assert "Traceback" not in text


@pytest.mark.parametrize("deploy", ["release", "rollback", "restore", "rotate_secrets", "status", "drift"])
def test_runbooks_stop_as_deploys_do(project: Project, deploy: str) -> None:
    words = {"release": ["services=all", "release=2.0.0"], "rollback": ["services=all"], "restore": ["store=redis"]}
    words["rotate_secrets"] = ["secrets=all"]
    data = [word for each in words.get(deploy, []) for word in ("--data", each)]
    running = begun(project, f"deploys/{deploy}.py", "-y", *data)
    running.send_signal(signal.SIGINT)
    text = ended(running)
    assert running.returncode == 130, text
    assert "INCOMPLETE: stopped by SIGINT" in text
    assert "Traceback" not in text


def test_a_dry_run_stops_as_well(project: Project) -> None:
    running = begun(project, "deploys/full.py", "--dry")
    running.send_signal(signal.SIGTERM)
    text = ended(running)
    assert running.returncode == 143, text
    assert NOTHING in text


def test_stopped_while_hosts_are_connected_to(project: Project) -> None:
    """A connection that starts and never completes."""
    project.hosts.silent = True
    running = project.start("inventory", "deploys/full.py", "-y")
    wait_for(lambda: project.hosts.connections > 0, running)
    running.send_signal(signal.SIGINT)
    text = ended(running)
    assert running.returncode == 130, text
    assert "while hosts were connected to" in text
    assert "under way: app1: connecting" in text

"""The router on its host: a reload with the engine at work, and the tasks that workers hand over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nexus.agent.lib import RemoteError
from roles.router.host import state

KNOWN = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state
7 glitch 1 task1 - 0
7 glitch 2 task2 10.0.0.2 2
7 glitch 3 task3 - 1
7 glitch 4 task4 10.0.0.4 3
8 alone 1 task1 10.0.0.9 2

"""
FIRST = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state
7 glitch 1 task1 10.0.0.2 2
7 glitch 2 task2 10.0.0.4 3
7 glitch 3 task3 - 0
7 glitch 4 task4 - 1
8 alone 1 task1 10.0.0.9 2

"""


def test_tasks_with_an_address_come_first() -> None:
    assert state.tasks_first(KNOWN) == FIRST
    assert state.tasks_first(FIRST) == FIRST


@pytest.fixture
def failing_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A reload where what is started in the router's container ends with 137; given are the containers that run."""

    def reload(running: str) -> None:
        docker = tmp_path / "docker"
        docker.write_text(f"#!/bin/sh\ncase $1 in exec) exit 137;; ps) echo {running};; *) exit 1;; esac\n")
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setattr(state, "END_SECONDS", 0.3)
        state.reload("abc", {"inside": "/etc/haproxy"})

    return reload


def test_a_router_that_ends_has_no_wrong_configuration(failing_check: Callable[[str], None]) -> None:
    failing_check("")


def test_a_router_that_stays_has_a_wrong_configuration(failing_check: Callable[[str], None]) -> None:
    with pytest.raises(RemoteError, match="the new one is not valid"):
        failing_check("abc")

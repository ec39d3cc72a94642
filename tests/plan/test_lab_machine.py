"""Processes of the lab are ended even if this process has many open files."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from nexus.provider.lab.machine import kill


@pytest.fixture
def many_open_files() -> Iterator[None]:
    """More files than select() supports, as when a lab ends a thousand processes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(open("/dev/null"))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_processes_end_while_many_files_are_open(many_open_files: None) -> None:
    running = [subprocess.Popen(["sleep", "600"]) for _ in range(3)]
    gone = subprocess.Popen(["true"])
    gone.wait()
    kill([process.pid for process in (*running, gone)])
    assert [process.wait(10) for process in running] == [-9, -9, -9]

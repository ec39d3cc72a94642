"""Fixtures of the plan tests: their own cache and /run, hosts and a project to break, and a check of the checkout."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.pki.ca import Authority
from nexus.transport import protocol
from tests.plan.aws_cloud import account_, cloud_server_  # noqa: F401 - fixtures
from tests.plan.leftovers import BEFORE, complaints, state
from tests.plan.project_copy import Hosts, Project, write_secrets


def pytest_sessionstart(session: pytest.Session) -> None:
    """The main process checks the checkout before and after all workers."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[BEFORE] = state()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tests that leave something in the checkout fail the session."""
    if BEFORE in session.config.stash and (left := complaints(session.config.stash[BEFORE])):
        session.config.stash[LEFT] = left
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Leftovers in the checkout, and how to repeat the random order, which quiet runs do not show."""
    for complaint in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"LEFT IN THE CHECKOUT: {complaint}", red=True)
    if config.getoption("random_order_enabled", False):
        seed = str(config.getoption("random_order_seed")).removeprefix("default:")
        terminalreporter.write_line(f"in random order: --random-order-seed={seed} repeats it")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests use their own cache, so that they do not displace entries of the user's runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def authority() -> Authority:
    """One authority for all tests: making its key takes longer than a run."""
    return Authority.create("lab")


LEFT = pytest.StashKey[list[str]]()
ENTER = """#!/bin/sh
mount --bind {directory} /run && exec "$@"
"""


@pytest.fixture
def own_run(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents of this test run as on a host, with their own /run: the turn and compiled code."""
    enter = tmp_path_factory.mktemp("enter") / "enter"
    enter.write_text(ENTER.format(directory=tmp_path_factory.mktemp("run")))
    enter.chmod(0o755)
    within = ["unshare", "--mount", str(enter)]
    if subprocess.run([*within, "true"], capture_output=True).returncode:
        return  # only root has one; other agents do not write there
    for module, name in ((protocol, "PYTHON"), (protocol, "COMMAND")):
        text = getattr(module, name)
        assert text.count("exec python3") == 1
        monkeypatch.setattr(module, name, text.replace("exec python3", f"exec {' '.join(within)} python3"))


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    found = Hosts()
    yield found
    found.close()


@pytest.fixture
def project(tmp_path: Path, hosts: Hosts, authority: Authority) -> Project:
    """A project that could be deployed if its hosts executed commands."""
    made = Project(tmp_path, hosts)
    write_secrets(made, {"tls/ca-key": authority.key, "tls/ca-certificate": authority.certificate})
    return made


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses connections. It stays taken, so that no other test listens there meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])

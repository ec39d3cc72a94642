"""What the tests of bad input share: hosts, and a project that could be deployed to them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_input import Hosts, Project, write_secrets

from roles.kit import transport, wire
from roles.kit.authority import Authority


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests work out does not push out of the user's cache what runs did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def authority() -> Authority:
    """One for all tests: making its key takes longer than a run."""
    return Authority.create("lab")


ENTER = """#!/bin/sh
mount --bind {directory} /run && exec "$@"
"""


@pytest.fixture
def own_run(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents of this test, which run as on a host, have a /run of their own: whose turn it is and compiled code."""
    enter = tmp_path_factory.mktemp("enter") / "enter"
    enter.write_text(ENTER.format(directory=tmp_path_factory.mktemp("run")))
    enter.chmod(0o755)
    within = ["unshare", "--mount", str(enter)]
    if subprocess.run([*within, "true"], capture_output=True).returncode:
        return  # whoever is not root has none, and agents write nothing there
    for module, name in ((wire, "PYTHON"), (wire, "COMMAND"), (transport, "COMMAND")):
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
    """A project that could be deployed, if its hosts did anything."""
    made = Project(tmp_path, hosts)
    write_secrets(made, {"tls/ca-key": authority.key, "tls/ca-certificate": authority.certificate})
    return made

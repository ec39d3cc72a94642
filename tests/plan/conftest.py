"""What the tests of bad input share: hosts, and a project that could be deployed to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_input import Hosts, Project, write_secrets

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

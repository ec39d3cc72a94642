"""A running edge that the tests of one file share, its clients and its routes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.plan.real_edge import LIMITED, UNLIMITED, Edge, environment, reason_to_skip, running

needs_edge = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
_numbers = count(1)


def a_client() -> str:
    """An address that no other test uses, so that limits start at zero."""
    return f"{LIMITED}{next(_numbers)}"


@pytest.fixture(scope="module", name="edge")
def edge_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    directory = tmp_path_factory.mktemp("edge")
    with running(directory, nginx_admin_networks=[f"{UNLIMITED}/32"], nginx_api_key_clients=["partner"]) as edge:
        yield edge


def routes() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Requested path, path that the service should see, service, methods."""
    found: list[tuple[str, str, str, tuple[str, ...]]] = []
    for route in environment(Path("/nonexistent")).catalogue.routes:
        if route.is_prefix:
            found.append((route.path + "a/b%20c", route.target + "a/b%20c", route.service, route.methods))
            found.append((route.path[:-1], route.target[:-1], route.service, route.methods))
        else:
            found.append((route.path, route.target, route.service, route.methods))
    return found

"""Edges with closed modules, and an edge whose router is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.edge_fixture import needs_edge
from tests.plan.real_edge import environment, running


@needs_edge
def test_answers_when_the_router_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("away")) as edge:
        edge.processes[0].kill()
        edge.processes[0].wait()
        answer = edge.get("/api/content/x")
        assert answer.status in (502, 504)
        assert answer.json["success"] is False
        assert edge.get("/health").status == 200


@needs_edge
def test_only_a_closed_module_answers_with_a_page(tmp_path: Path) -> None:
    with running(tmp_path, nginx_maintenance=["puabo-nexus"]) as edge:
        # its own service is closed; billing-service, which other modules need, is not
        path = route_of("puabo-nexus-fleet-manager")
        told = edge.get(path)
        assert (told.status, told.headers["Retry-After"]) == (503, "600")
        assert told.json["error"]["code"] == "SERVICE_UNAVAILABLE"
        page = edge.get(path, headers={"Accept": "text/html,*/*"})
        assert (page.status, page.headers["Retry-After"]) == (503, "600")
        assert page.headers["Content-Type"].startswith("text/html")
        assert b"being worked on" in page.body
        assert edge.get(route_of("billing-service")).status == 200


def route_of(service: str) -> str:
    """A path that is routed to the service."""
    env = environment(Path("/nonexistent"))
    return next(route.path for route in env.catalogue.routes if route.service == service)

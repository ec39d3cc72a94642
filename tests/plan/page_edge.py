"""A real edge that shows real builds to a real browser. This machine keeps the builds, as it does those of runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roles.frontend import npm
from roles.frontend.builder import build_all, unbuilt
from tests import browser
from tests.plan import front_end_host as edge_host
from tests.plan.edge_request import ADDRESS
from tests.plan.real_edge import DOMAIN, Edge, running
from tests.plan.real_edge import reason_to_skip as no_edge

SLUGS = ("portal", "core-os", "gamecore")


def reason_to_skip() -> str:
    """The reason why no edge or no browser can run here; empty if both can."""
    return no_edge() or browser.reason_to_skip()


def visited(edge: Edge) -> Iterator[browser.Browser]:
    """A browser for an edge."""
    with browser.browser(ADDRESS, edge.https, DOMAIN, edge.env.tls.certificate) as found:
        yield found


def shown(directory: Path, **settings: object) -> Iterator[Edge]:
    """An edge that shows real builds, one of them closed; skipped where packages cannot be installed."""
    own = {"frontend_build_directory": "", "nginx_maintenance": ["gamecore"], **settings}
    with running(directory, **own) as edge:
        try:
            build_all(edge.env, [source for source in unbuilt(edge.env) if source.site.slug in SLUGS])
        except npm.NotHere as why:
            pytest.skip(f"front ends cannot be built here: {why}")
        edge_host.deliver(edge.env)
        edge_host.show(edge.env)
        yield edge

"""Front ends as a browser sees them: headers, caching and refusals of a real Nginx."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from roles.frontend.build import Build
from tests.plan import front_end_host as edge_host
from tests.plan.edge_request import Answer
from tests.plan.front_end_builds import built
from tests.plan.real_edge import DOMAIN, UNLIMITED, Edge, reason_to_skip, running

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FOREVER, CHECKED, NEVER = "public, max-age=31536000, immutable", "no-cache", "no-store"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running(tmp_path_factory.mktemp("edge"), nginx_maintenance=["gamecore"]) as edge:
        for slug in ("portal", "core-os", "casino-nexus", "gamecore"):
            built(edge.env, slug)
        edge_host.deliver(edge.env)
        edge_host.show(edge.env)
        yield edge


@pytest.fixture(scope="module")
def build(edge: Edge) -> Build:
    return built(edge.env, "core-os")


def script_of(build: Build) -> str:
    return next(path for path in build.pieces if path.startswith("assets/index-"))


def etag(edge: Edge, path: str) -> str:
    return str(edge.get(path).headers["ETag"])


def cases(edge: Edge, build: Build) -> list[tuple[int, str, Answer]]:
    """(expected status, expected Cache-Control, answer) for each class of answers."""
    script, get = f"/core-os/{script_of(build)}", edge.get
    return [
        (200, CHECKED, get("/core-os/")),
        (200, CHECKED, get("/core-os/some/place", headers=HTML)),
        (200, CHECKED, get("/core-os/config.json")),
        (200, CHECKED, get("/core-os/robots.txt")),
        (200, CHECKED, get("/")),
        (200, CHECKED, get("/config.json")),
        (200, FOREVER, get(script)),
        (200, FOREVER, get("/assets/library-1a2b3c4d.js")),
        (206, FOREVER, get(script, headers={"Range": "bytes=0-9"})),
        (301, CHECKED, get("/core-os")),
        (304, CHECKED, get("/core-os/", headers={"If-None-Match": etag(edge, "/core-os/")})),
        (304, FOREVER, get(script, headers={"If-None-Match": etag(edge, script)})),
        (404, NEVER, get("/core-os/assets/index-00000000.js", headers=HTML)),
        (404, NEVER, get("/assets/index-00000000.js", headers=HTML)),
        (404, NEVER, get("/core-os/picture.png", headers=HTML)),
        (404, NEVER, get("/core-os/some/place")),
        (405, NEVER, edge.ask("POST", "/core-os/")),
        (405, NEVER, edge.ask("DELETE", script)),
        (503, NEVER, get("/gamecore/", headers=HTML)),
        (503, NEVER, get("/gamecore/some/place")),
        (204, NEVER, get("/operators.json")),
    ]


def test_every_class_of_answers_has_its_headers(edge: Edge, build: Build) -> None:
    for status, cache, answer in cases(edge, build):
        assert answer.status == status
        names = [name for name, _ in answer.all]
        assert answer.headers.get_all("Cache-Control") == [cache], answer.all
        for name, value in {
            **edge.env.catalogue.gateway.security_headers,
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        }.items():
            assert answer.headers.get_all(name) == [value], (status, name)
        policy = str(answer.headers["Content-Security-Policy"])
        assert names.count("content-security-policy") == 1
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy
        assert f"connect-src 'self' https://api.{DOMAIN}:{edge.https};" in policy
        assert "object-src 'none'; base-uri 'none'" in policy


def test_errors_are_the_gateways_and_never_a_page(edge: Edge, build: Build) -> None:
    for status, _, answer in cases(edge, build):
        if status in (404, 405):
            assert answer.json["success"] is False
    assert edge.ask("POST", "/core-os/").headers["Allow"] == "GET, HEAD"


def test_answers_of_services_keep_their_own_caching(edge: Edge) -> None:
    assert edge.get("/api/content/x").headers.get_all("Cache-Control") is None
    assert edge.get("/api/nothing").headers.get_all("Cache-Control") is None


def test_webgl_modules_alone_may_run_compiled_code(edge: Edge) -> None:
    policy = str(edge.get("/casino-nexus/").headers["Content-Security-Policy"])
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert policy.endswith("worker-src 'self' blob:")
    assert "wasm" not in str(edge.get("/core-os/").headers["Content-Security-Policy"])


def test_compressed_files_are_those_of_the_build(edge: Edge, build: Build) -> None:
    path = script_of(build)
    answer = edge.get(f"/core-os/{path}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.body == build.blob(path)
    assert "Accept-Encoding" in answer.headers.get_all("Vary", [])
    assert edge.get(f"/core-os/{path}").body == gzip.decompress(answer.body)
    page = edge.get("/core-os/config.json", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] is None


def test_no_location_of_front_ends_compresses(edge: Edge) -> None:
    text = (edge.directory / "nginx/nexus-cos/frontend.conf").read_text()
    blocks = [block for block in text.split("location ")[1:] if "root " in block and "operators.json" not in block]
    assert len(blocks) > 16
    for block in blocks:
        assert "gzip off;" in block, block
        assert "gzip_static on;" in block, block


def test_a_closed_module_shows_its_page_and_old_tabs_keep_their_files(edge: Edge) -> None:
    page = edge.get("/gamecore/", headers=HTML)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Retry-After"] == "600"
    assert b"<h1>GameCore</h1>" in page.body
    assert b'href="/closed.css"' in page.body
    assert edge.get("/closed.css").headers["Content-Type"].startswith("text/css")
    assert edge.get("/gamecore/assets/library-1a2b3c4d.js").status == 200
    modules = {module["slug"]: module for module in edge.get("/config.json").json["modules"]}
    assert modules["gamecore"]["state"] == "closed"
    assert modules["gamecore"]["message"]
    assert modules["core-os"]["state"] == "open"
    assert modules["streamcore"]["state"] == "without pages"


def test_pages_are_only_at_the_platforms_own_name(edge: Edge) -> None:
    assert edge.get("/core-os/", host=f"api.{DOMAIN}", headers=HTML).status == 404
    assert edge.get("/streamcore/", headers=HTML).status == 404


def test_folders_of_releases_are_not_reached(edge: Edge, build: Build) -> None:
    for path in (f"releases/{build.release}.json", f"releases/{build.release}/index.html", "history.json", "current/"):
        assert edge.get(f"/core-os/{path}").status == 404, path
    assert edge.get("/closed/operators.json").status == 404
    assert edge.get("/portal/current/index.html").status == 404


def test_links_are_for_operators_networks(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("edge"), nginx_admin_networks=[f"{UNLIMITED}/32"]) as edge:
        assert any(link["title"] == "Logs" for link in edge.get("/operators.json").json)
        stranger = edge.get("/operators.json", source="127.78.0.200")
        assert (stranger.status, stranger.body) == (204, b"")


def test_a_switch_never_mixes_releases(edge: Edge) -> None:
    """Pages of both releases name files that are there, before, while and after the page changes."""
    first = edge.get("/core-os/").body
    built(edge.env, "core-os", "another")
    edge_host.deliver(edge.env)
    assert edge.get("/core-os/").body == first
    edge_host.show(edge.env)
    second = edge.get("/core-os/").body
    assert second != first
    for page in (first, second):
        path = page.split(b'src="')[1].split(b'"')[0].decode()
        assert edge.get(path).status == 200

"""The reference front end itself: built with npm, twice the same, and shown by a real browser without a complaint."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.environment.environment import Environment
from roles.frontend import npm
from roles.frontend.build import Build
from roles.frontend.builder import build
from roles.frontend.site import by_slug
from roles.frontend.source import Source, source
from tests.plan import front_end_host as edge_host
from tests.plan.real_edge import ADDRESS, DOMAIN, Edge, reason_to_skip, running

BUILT = ("portal", "core-os", "puaboverse")
CHROMIUM = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors"),
    *("--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"),
)
COMPLAINT = re.compile(r"CONSOLE.*", re.IGNORECASE)


def sourced(env: Environment, slug: str) -> Source:
    found = source(env, by_slug(env)[slug])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, dict[str, Build]]]:
    """An edge that shows real builds; skipped where packages cannot be installed."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("edge"), nginx_maintenance=["gamecore"]) as edge:
        try:
            npm.check()
            made = {slug: build(edge.env, sourced(edge.env, slug)) for slug in BUILT}
        except npm.NotHere as why:
            pytest.skip(f"front ends cannot be built here: {why}")
        edge_host.deliver(edge.env)
        edge_host.show(edge.env)
        yield edge, made


def test_a_second_build_is_the_same(builds: tuple[Edge, dict[str, Build]]) -> None:
    edge, made = builds
    again = build(edge.env, sourced(edge.env, "core-os"))
    assert again == made["core-os"]
    for path in again.pieces:
        assert again.blob(path) == made["core-os"].blob(path)


def test_builds_are_small_and_name_no_place_of_this_machine(builds: tuple[Edge, dict[str, Build]]) -> None:
    for slug, one in builds[1].items():
        assert sum(len(one.blob(path)) for path in one.pieces) < 100_000, slug
        for path in one.pieces:
            data = (one.folder / "files" / path).read_bytes()
            assert str(builds[0].directory).encode() not in data
            assert b"node_modules" not in data


def test_types_of_the_reference_front_end(builds: tuple[Edge, dict[str, Build]], tmp_path: Path) -> None:
    env = builds[0].env
    found = sourced(env, "core-os")
    for path, data in found.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "node_modules").symlink_to(npm.installed(env, found))
    assert npm.command(env, ["node", "node_modules/typescript/bin/tsc", "-p", "."], tmp_path, {}) is None


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium not installed")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Puabo Studio"),
        ("/core-os/", "of 5 answer"),
        ("/core-os/about", "/api/sessions/"),
        ("/puaboverse/", "metatwin"),
        ("/gamecore/", "being worked on"),
    ],
)
def test_a_browser_shows_the_page(builds: tuple[Edge, dict[str, Build]], tmp_path: Path, path: str, text: str) -> None:
    """Nothing on the console: no error of a script, and nothing that the policy refused."""
    edge, _ = builds
    words = [*CHROMIUM, f"--user-data-dir={tmp_path}", f"--host-resolver-rules=MAP {DOMAIN} {ADDRESS}"]
    done = subprocess.run(
        [*words, f"https://{DOMAIN}:{edge.https}{path}"], capture_output=True, text=True, timeout=120, check=False
    )
    assert text in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    expected = ("503",) if path == "/gamecore/" else ()  # the page itself has that status
    found = [line for line in COMPLAINT.findall(done.stderr) if not any(word in line for word in expected)]
    assert found == []

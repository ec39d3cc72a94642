"""Front ends: their sources, their builds and their plan."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from nexus.catalogue import load
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.frontend import builder, npm
from roles.frontend.build import by_key, by_release, keep
from roles.frontend.builder import build, unbuilt
from roles.frontend.front_end import FrontEnd
from roles.frontend.output import apart, served
from roles.frontend.page import asked_route, config
from roles.frontend.plan import notes, plan, planned
from roles.frontend.site import by_slug, record, sites
from roles.frontend.source import source
from roles.router.window import windows
from tests.plan.catalogue_copy import edited
from tests.plan.environments import environment as whole_environment
from tests.plan.front_end_builds import built, environment_settings
from tests.plan.real_edge import environment

SLUG = "core-os"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(os, "sync", lambda: None)  # which waits for all disks of the machine
    return environment(tmp_path, **environment_settings(tmp_path))


def recorded(env: Environment, slug: str, release: str) -> Environment:
    return env.with_facts(env.hosts, {}, {record(slug): {"release": release, "at": "x"}})


def path_of(env: Environment, slug: str = SLUG) -> str:
    return f"{env.setting.frontend_directory}/{slug}"


# Sites and sources


def test_every_module_with_pages_has_a_front_end_and_so_has_the_portal(env: Environment) -> None:
    slugs = [site.slug for site in sites(env)]
    assert slugs == ["portal", *(module.slug for module in env.catalogue.modules if module.frontend)]
    assert len(slugs) == 16


def test_equal_sources_have_equal_keys_in_every_environment(tmp_path: Path, env: Environment) -> None:
    other = environment(tmp_path / "b", domain="other.example.com", **environment_settings(tmp_path / "b"))
    for slug, site in by_slug(env).items():
        one, two = source(env, site), source(other, by_slug(other)[slug])
        assert one is not None
        assert two is not None
        assert one.key == two.key
    assert len({each.key for each in unbuilt(env)}) == len(sites(env))


def test_pages_of_a_checkout_take_the_place_of_the_reference(tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "services/auth-service").mkdir(parents=True)
    (code / "modules/casino-nexus/frontend").mkdir(parents=True)
    (code / "modules/casino-nexus/frontend/index.html").write_text("<h1>Casino</h1><script>start()</script>")
    (code / "admin").mkdir()
    (code / "admin/package.json").write_text("{}")
    env = environment(tmp_path, image_source=str(code), **environment_settings(tmp_path))
    assert {site.slug for site in sites(env)} - {module.slug for module in env.catalogue.modules} == {"portal", "admin"}
    found = source(env, by_slug(env)["casino-nexus"])
    assert found is not None
    assert not found.application
    made = build(env, found)
    (script,) = [path for path, piece in made.pieces.items() if piece.pooled]
    page = (made.folder / "files/index.html").read_text()
    assert page == f'<h1>Casino</h1><script src="/casino-nexus/{script}"></script>'
    admin = source(env, by_slug(env)["admin"])
    assert admin is not None
    assert admin.application
    assert dict(admin.environment) == {"VITE_API_URL": "/api"}
    assert (admin.site.base, admin.site.assets) == ("/admin/", "static")


def test_only_inline_scripts_that_run_are_taken_apart() -> None:
    html = (
        '<script src="a.js"></script><script type="application/json">{"a":1}</script>'
        '<script type="module">go()</script>'
    )
    page, scripts = apart(html, "/x/", "assets")
    ((name, text),) = scripts.items()
    assert text == b"go()"
    assert page.decode() == html.replace(">go()<", f' src="/x/{name}"><')


def test_files_with_hashes_outside_of_the_assets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "js").mkdir()
    (tmp_path / "js/a-12345678.js").write_text("x")
    (tmp_path / "manifest.json").write_text('{"a.js": {"file": "js/a-12345678.js"}}')
    with pytest.raises(OperatorError, match="set `assets` of its pages"):
        served(tmp_path, "admin", "/admin/", "assets")
    (tmp_path / "index.html").unlink()
    with pytest.raises(OperatorError, match=r"has no index\.html"):
        served(tmp_path, "admin", "/admin/", "js")


# Builds


def test_a_release_is_named_by_its_content_alone(env: Environment) -> None:
    files = {"index.html": b"a" * 2000, "assets/b-12345678.js": b"b"}
    one = keep(env, "one", files, ["assets/b-12345678.js"])
    assert keep(env, "two", dict(reversed(files.items())), ["assets/b-12345678.js"]).release == one.release
    assert keep(env, "three", {**files, "index.html": b"c"}, ["assets/b-12345678.js"]).release != one.release
    assert by_key(env, "two") == by_release(env, one.release) == one
    assert by_key(env, "four") is None


def test_a_lost_file_of_a_build_is_told(env: Environment) -> None:
    made = built(env, SLUG)
    (made.folder / "files/robots.txt").unlink()
    with pytest.raises(OperatorError, match="remove it and rerun"):
        made.blob("robots.txt")


@pytest.mark.parametrize(("program", "reason"), [("node", "node is not on"), ("npm", "npm is not on")])
def test_a_missing_program_is_told(program: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else f"/usr/bin/{name}")
    with pytest.raises(npm.NotHere, match=reason):
        npm.check()


def test_an_unreachable_registry_is_told(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["npm error code ECONNREFUSED", "npm error network request failed", "npm error A complete log is in x"]
    monkeypatch.setattr(npm, "command", lambda *_: said)
    with pytest.raises(npm.NotHere, match=r"\(code ECONNREFUSED network request failed\)"):
        npm.installed(env, unbuilt(env)[0])


def test_a_build_that_fails_is_told_with_its_last_lines(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def packages(_env: Any, _source: Any) -> Path:
        folder = Path(env.setting.frontend_build_directory) / "modules"
        (folder / "vite/bin").mkdir(parents=True, exist_ok=True)
        (folder / "vite/bin/vite.js").write_text("")
        return folder

    monkeypatch.setattr(npm, "installed", packages)
    monkeypatch.setattr(npm, "command", lambda *_: ["App.tsx:3: no such thing"])
    with pytest.raises(OperatorError, match=r"cannot be built:\nApp\.tsx:3"):
        build(env, unbuilt(env)[0])


# The plan


def test_nothing_is_planned_to_be_shown_without_a_build(env: Environment) -> None:
    wanted = plan(env, env.hosts[0])
    assert wanted.states[0].items == {}
    items = [item for item in wanted.items if isinstance(item, FrontEnd)]
    assert len(items) == 16
    assert {item.difference(None) for item in items} == {None}
    portal = json.loads(next(file.data for file in wanted.files if file.path.endswith("/portal/config.json")))
    assert {module["state"] for module in portal["modules"]} == {"without pages"}


def test_a_record_decides_over_the_sources_at_hand(env: Environment) -> None:
    first = built(env, SLUG, "one")
    second = built(env, SLUG, "two")
    assert {each.site.slug: each.release for each in planned(env)}[SLUG] == second.release
    kept = recorded(env, SLUG, first.release)
    assert plan(kept, kept.hosts[0]).states[0].items == {f"pages of {SLUG}": {"release": first.release}}
    assert notes(kept) == []
    (note,) = notes(recorded(env, SLUG, "0123456789"))
    assert f"{SLUG} 0123456789" in note


def test_one_build_for_all_environments_with_another_configuration(tmp_path: Path, env: Environment) -> None:
    release = built(env, SLUG).release
    other = environment(tmp_path / "b", nginx_auth_request=True, **environment_settings(tmp_path))
    assert {each.site.slug: each.release for each in planned(other)}[SLUG] == release
    site = by_slug(env)[SLUG]
    one, two = config(env, site, []), config(other, site, [])
    assert (one.pop("login"), two.pop("login")) == (None, "/api/auth/login")
    assert one == two


def test_pages_ask_no_path_with_a_limit_on_logins(env: Environment) -> None:
    assert windows(env)
    routes = {name: asked_route(env, name) for name in env.catalogue.services}
    auth = routes["auth-service"]
    assert auth is not None
    assert auth.path == "/api/auth/logout"
    assert [name for name, route in routes.items() if route is None] == ["backend-api"]


def test_pages_know_which_services_want_a_login(env: Environment) -> None:
    found = {about["name"]: about for site in sites(env) for about in config(env, site, []).get("services", ())}
    assert (found["auth-service"]["path"], found["auth-service"]["login"]) == ("/api/auth/logout", True)
    assert (found["backend-api"]["path"], found["backend-api"]["login"]) == (None, False)
    assert {about["login"] for about in found.values()} == {True, False}


def test_a_seventeenth_module_appears_from_its_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = (
        "\n  - {slug: new-module, title: New Module, purpose: New, stack: [nodejs], "
        "services: [backend-api], frontend: true, team: new}\n"
    )
    directory = edited(tmp_path, "modules.yaml", ("\nmodules:\n", f"\nmodules:{entry}"))
    monkeypatch.setattr("nexus.environment.environment.load", lambda: load(directory))
    env = environment(tmp_path, **environment_settings(tmp_path))
    assert len(env.catalogue.modules) == 17
    assert "new-module" in by_slug(env)
    release = built(env, "new-module").release
    wanted = plan(env, env.hosts[0])
    assert wanted.states[0].items["pages of new-module"] == {"release": release}
    portal = json.loads(next(file.data for file in wanted.files if file.path.endswith("/portal/config.json")))
    assert portal["modules"][0]["state"] == "open"


def test_only_edge_hosts_have_front_ends(tmp_path: Path) -> None:
    from roles.table import ROLES

    env = whole_environment(tmp_path)
    assert [host.name for host in ROLES.hosts("frontend", env)] == [host.name for host in env.group("edge")]


def test_the_reference_front_end_names_no_host_of_a_registry() -> None:
    folder = Path(builder.__file__).parents[2] / "templates/frontend/reference"
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = [about for name, about in lock["packages"].items() if name]
    assert len(packages) > 20
    assert all("resolved" not in about and about["integrity"].startswith("sha512-") for about in packages)
    wanted = json.loads((folder / "package.json").read_text())
    pinned = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert all(version.replace(".", "").isdigit() for version in pinned.values())

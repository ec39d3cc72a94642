"""The recipe of the images: what is built from what, when it is rebuilt, and whether there is room for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from roles.image.plan import item, plan, preflight
from roles.image.recipe import pack, recipe
from roles.image.runtime import heap_mb
from tests.plan.image_environment import (
    cooked,
    dockerfile,
    environment,
    no_source,  # noqa: F401 - a fixture
)


def test_same_members_make_the_same_archive() -> None:
    one = pack({"b": b"2", "a": (b"1", 0o755)})
    assert one == pack({"a": (b"1", 0o755), "b": b"2"})
    assert one != pack({"a": (b"1", 0o644), "b": b"2"})


def test_all_services_are_the_reference_without_a_checkout(tmp_path: Path) -> None:
    found = cooked(tmp_path)
    catalogue = environment(tmp_path).catalogue
    assert set(found.images) == {*catalogue.services, "router"}
    assert len({found.images[name].content for name in catalogue.services}) == 1
    assert set(found.without_code) == set(catalogue.services)


def test_a_dockerfile_names_its_parent_by_content(tmp_path: Path) -> None:
    reference = cooked(tmp_path).images["auth-service"]
    lineage = [image.name for image in reference.lineage]
    assert lineage == ["base", "node", "modules", "reference"]
    for image, parent in zip(reference.lineage[1:], reference.lineage, strict=False):
        assert f"FROM {parent.tag}" in dockerfile(image)


def test_a_revision_rebuilds_images_and_a_release_does_not(tmp_path: Path) -> None:
    first, other = cooked(tmp_path), cooked(tmp_path, release="9.9.9")
    assert {n: i.content for n, i in first.images.items()} == {n: i.content for n, i in other.images.items()}
    rebuilt = cooked(tmp_path, image_revision="2")
    assert not {i.content for i in first.images.values()} & {i.content for i in rebuilt.images.values()}


def test_a_named_base_needs_no_bootstrap(tmp_path: Path) -> None:
    env = environment(tmp_path, image_base="debian:trixie")
    router = recipe(env, None).images["router"]
    assert "FROM debian:trixie\n" in dockerfile(router)
    assert [image.name for image in router.lineage] == ["router"]
    assert "mmdebstrap" not in plan(env, env.host("ops1")).packages


def test_images_are_planned_only_on_the_registry_host(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert plan(env, env.host("ops2")).states == ()
    state = plan(env, env.host("ops1")).states[0]
    assert set(state.items) == {item(name) for name in (*env.catalogue.services, "router")}
    assert env.secret("registry/nexus/a") not in repr((state, dict(state.items), dict(state.context)))


@pytest.mark.parametrize(("mebibytes", "heap"), [(64, 32), (128, 64), (256, 192), (512, 384), (2048, 1536)])
def test_heap_leaves_room_for_what_is_not_heap(mebibytes: int, heap: int) -> None:
    assert heap_mb(mebibytes << 20) == heap


def ask_for_disk(directory: Path, free: int) -> subprocess.CompletedProcess[str]:
    places = {"docker_data_root": str(directory / "docker/none"), "registry_directory": str(directory / "registry")}
    env = environment(directory, image_disk_free_bytes=free, **places)
    assert preflight(env, env.host("app1")) is None
    return subprocess.run(["sh", "-c", str(preflight(env, env.host("ops1")))], capture_output=True, text=True)


def test_too_little_disk_is_reported_before_any_build(tmp_path: Path) -> None:
    assert ask_for_disk(tmp_path, 1).returncode == 0
    refused = ask_for_disk(tmp_path, 1 << 60)
    assert refused.returncode == 1
    assert "not enough disk for images" in refused.stdout
    (tmp_path / "registry/docker/registry/v2/repositories/nexus-cos/router/_manifests/tags/1.0.0").mkdir(parents=True)
    assert ask_for_disk(tmp_path, 1 << 60).returncode == 0  # nothing has to be built

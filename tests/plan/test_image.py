"""The recipe of the images: what is built from what, when it is built anew, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml

from roles.image import remote
from roles.image.archive import pack
from roles.image.checkout import checkout
from roles.image.plan import item, notes, plan, preflight
from roles.image.recipe import Image, Recipe, recipe
from roles.image.runtime import has_code, heap_mb, probes
from roles.kit.environment import Environment, Host
from roles.kit.error import OperatorError
from roles.kit.secrets import Secrets
from roles.kit.settings import Settings, defaults
from roles.registry import plan as registry
from tests.fixtures.checkout import WITHOUT_CODE, make_checkout


@pytest.fixture(autouse=True)
def no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXUS_SOURCE", raising=False)


def environment(directory: Path, **settings: Any) -> Environment:
    """Two ops hosts, of which the first has the registry, and an app host."""
    setting = Settings({**defaults(), **settings})
    hosts = tuple(
        Host(name, address, frozenset({group}), setting)
        for name, address, group in (
            ("app1", "10.9.0.21", "app"),
            ("ops1", "10.9.0.41", "ops"),
            ("ops2", "10.9.0.42", "ops"),
        )
    )
    return Environment(
        "test", hosts, setting, Secrets(directory / "s.age", directory / "age.key", generate=True)
    )


def cooked(directory: Path, **settings: Any) -> Recipe:
    env = environment(directory, **settings)
    return recipe(env, checkout(env))


def members(image: Image) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(image.context)) as archive:
        return {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]


def dockerfile(image: Image) -> str:
    return members(image)["Dockerfile"].decode()


@pytest.fixture(name="code")
def code_(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "platform", environment(tmp_path).catalogue)


def test_same_members_make_the_same_archive() -> None:
    one = pack({"b": b"2", "a": (b"1", 0o755)})
    assert one == pack({"a": (b"1", 0o755), "b": b"2"})
    assert one != pack({"a": (b"1", 0o644), "b": b"2"})


def test_without_checkout_every_service_runs_the_reference_service(tmp_path: Path) -> None:
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


def test_a_release_builds_nothing_and_a_revision_builds_everything(tmp_path: Path) -> None:
    first, other = cooked(tmp_path), cooked(tmp_path, release="9.9.9")
    assert {n: i.content for n, i in first.images.items()} == {n: i.content for n, i in other.images.items()}
    anew = cooked(tmp_path, image_revision="2")
    assert not {i.content for i in first.images.values()} & {i.content for i in anew.images.values()}


def test_a_named_base_needs_no_bootstrap(tmp_path: Path) -> None:
    env = environment(tmp_path, image_base="debian:trixie")
    router = recipe(env, None).images["router"]
    assert "FROM debian:trixie\n" in dockerfile(router)
    assert [image.name for image in router.lineage] == ["router"]
    assert "mmdebstrap" not in plan(env, env.host("ops1")).packages


def test_images_are_planned_on_the_registry_host_alone(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert plan(env, env.host("ops2")).states == ()
    state = plan(env, env.host("ops1")).states[0]
    assert set(state.items) == {item(name) for name in (*env.catalogue.services, "router")}
    assert env.secret("registry/nexus/a") not in repr((state, dict(state.items), dict(state.context)))


def test_code_gets_an_image_of_its_own_and_the_rest_the_reference(tmp_path: Path, code: Path) -> None:
    env = environment(tmp_path, image_source=str(code))
    found = recipe(env, checkout(env))
    assert found.without_code == (WITHOUT_CODE,)
    assert found.images[WITHOUT_CODE].name == "reference"
    assert WITHOUT_CODE in notes(env)[0]
    assert has_code(env, "glitch")
    assert probes(env, "glitch").readiness == "/health"
    assert probes(env, WITHOUT_CODE).readiness == "/health/ready"


def test_the_checkout_may_come_from_the_environment(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_SOURCE", str(code))
    assert cooked(tmp_path).images["glitch"].name == "glitch"


def test_layout_lets_a_service_load_what_lies_two_levels_up(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    assert "srv/middleware/handshake-validator.js" in members(images["user-auth"])
    assert "srv/services/user-auth/server.js" in members(images["user-auth"])
    assert "srv/middleware/handshake-validator.js" not in members(images["glitch"])
    assert 'CMD ["node", "src/index.js"]' in dockerfile(images["session-mgr"])
    assert "WORKDIR /srv/services/session-mgr\n" in dockerfile(images["session-mgr"])


def test_what_only_developers_need_stays_out(tmp_path: Path, code: Path) -> None:
    (code / "services/glitch/node_modules/x").mkdir(parents=True)
    (code / "services/glitch/node_modules/x/index.js").write_text("x")
    names = set(members(cooked(tmp_path, image_source=str(code)).images["glitch"]))
    assert names == {"Dockerfile", "srv/services/glitch/package.json", "srv/services/glitch/server.js"}


def test_services_with_the_same_dependencies_share_one_install(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    node = [i for name, i in images.items() if name not in ("router", "billing-service", WITHOUT_CODE)]
    installs = {image.parents[0].tag for image in node}
    assert len(installs) == 3  # express alone, with redis, with ws
    assert images["puabo-nexus"].parents[0] == images["glitch"].parents[0]  # its packages: fleet-manager's


def test_python_runs_on_debian_packages(tmp_path: Path, code: Path) -> None:
    billing = cooked(tmp_path, image_source=str(code)).images["billing-service"]
    assert "python3-fastapi python3-uvicorn" in dockerfile(billing.parents[0])
    assert "uvicorn --app-dir . main:app --host 0.0.0.0 --port" in dockerfile(billing)


def test_exit_code_1_counts_as_a_stop_only_where_the_catalogue_says_so(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    assert 'STOP_STATUS="0 1 143"' in dockerfile(images["glitch"])
    assert 'STOP_STATUS="0 143"' in dockerfile(images["auth-service"])


def test_a_changed_file_builds_one_service_anew(tmp_path: Path, code: Path) -> None:
    before = cooked(tmp_path, image_source=str(code)).images
    (code / "services/glitch/server.js").write_text("// another")
    after = cooked(tmp_path, image_source=str(code)).images
    assert [name for name in before if before[name].content != after[name].content] == ["glitch"]


def test_a_lock_file_is_followed_exactly(tmp_path: Path, code: Path) -> None:
    (code / "services/glitch/package-lock.json").write_text("{}")
    modules = cooked(tmp_path, image_source=str(code)).images["glitch"].parents[0]
    assert "npm ci " in dockerfile(modules)
    assert json.loads(members(modules)["packages/package.json"])["name"] == "glitch"


def test_an_install_hook_gets_the_files_it_may_read(tmp_path: Path, code: Path) -> None:
    package = code / "services/glitch/package.json"
    package.write_text(
        json.dumps({"dependencies": {"express": "4"}, "scripts": {"postinstall": "node server.js"}})
    )
    modules = cooked(tmp_path, image_source=str(code)).images["glitch"].parents[0]
    assert "packages/server.js" in members(modules)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda code: "/nonexistent", ["NEXUS_SOURCE=/nonexistent is no directory"]),
        (lambda code: str(code / "middleware"), ["is no checkout of the platform", "such as services/"]),
        (
            lambda code: _without(code / "services/glitch/server.js"),
            ["server.js is missing", "glitch starts from it"],
        ),
        (lambda code: _with(code / "services/glitch/package.json", b"{,"), ["package.json is no valid JSON"]),
        (
            lambda code: _linked(code / "services/glitch/key", Path("/etc/hostname")),
            ["leads out of the checkout"],
        ),
        (lambda code: _with(code / "services/glitch/big", bytes(2 << 20)), ["glitch holds more than 1 MiB"]),
    ],
)
def test_a_source_that_cannot_be_built_is_refused(
    tmp_path: Path, code: Path, spoil: Any, words: list[str]
) -> None:
    given = spoil(code) or str(code)
    with pytest.raises(OperatorError) as error:
        cooked(tmp_path, image_source=given, image_source_mebibytes=1)
    for word in words:
        assert word in str(error.value)


def _without(path: Path) -> None:
    path.unlink()


def _with(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _linked(path: Path, target: Path) -> None:
    path.symlink_to(target)


@pytest.mark.parametrize(("mebibytes", "heap"), [(64, 32), (128, 64), (256, 192), (512, 384), (2048, 1536)])
def test_heap_leaves_room_for_what_is_not_heap(mebibytes: int, heap: int) -> None:
    assert heap_mb(mebibytes << 20) == heap


def ask_for_disk(directory: Path, free: int) -> subprocess.CompletedProcess[str]:
    places = {
        "docker_data_root": str(directory / "docker/none"),
        "registry_directory": str(directory / "registry"),
    }
    env = environment(directory, image_disk_free_bytes=free, **places)
    assert preflight(env, env.host("app1")) is None
    return subprocess.run(["sh", "-c", str(preflight(env, env.host("ops1")))], capture_output=True, text=True)


def test_too_little_disk_is_said_before_anything_is_built(tmp_path: Path) -> None:
    assert ask_for_disk(tmp_path, 1).returncode == 0
    refused = ask_for_disk(tmp_path, 1 << 60)
    assert refused.returncode == 1
    assert "not enough disk for images" in refused.stdout
    (tmp_path / "registry/docker/registry/v2/repositories/nexus-cos/router/_manifests/tags/1.0.0").mkdir(
        parents=True
    )
    assert ask_for_disk(tmp_path, 1 << 60).returncode == 0  # nothing has to be built


class Storage:
    """A registry's storage with one image, as docker-registry lays it out."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "docker/registry/v2"
        self.context = {"release": "1.0.0", "storage": str(directory)}
        layers = [f"sha256:{letter * 64}" for letter in "abc"]
        self.digest = f"sha256:{'d' * 64}"
        manifest = {"config": {"digest": layers[0]}, "layers": [{"digest": layer} for layer in layers[1:]]}
        for digest, text in [*((layer, "x") for layer in layers), (self.digest, json.dumps(manifest))]:
            self.write(f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data", text)
        home = "repositories/nexus-cos/glitch"
        for layer in layers:
            self.write(f"{home}/_layers/sha256/{layer[7:]}/link", layer)
        self.write(f"{home}/_manifests/revisions/sha256/{self.digest[7:]}/link", self.digest)
        for tag in ("1.0.0", "content-beef"):
            self.write(f"{home}/_manifests/tags/{tag}/current/link", self.digest)
        self.write(f"{home}/_manifests/tags/content-old/current/link", f"sha256:{'e' * 64}")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def files(self) -> Iterator[Path]:
        return (path for path in self.root.rglob("*") if path.is_file() and "content-old" not in str(path))

    def probe(self) -> dict[str, dict[str, str]]:
        return remote.probe(["image glitch", "image absent"], self.context)


def test_the_probe_reads_content_and_digest_from_the_registrys_storage(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert storage.probe() == {"image glitch": {"content": "beef", "digest": storage.digest}}


def test_an_image_that_lost_any_part_is_not_there(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for path in list(storage.files()):
        kept = path.read_text()
        path.unlink()
        assert storage.probe() == {}, f"{path} is gone and was not missed"
        path.write_text(kept)
    assert storage.probe()


def test_registry_password_file_is_stable_and_valid() -> None:
    line = registry.htpasswd("nexus", "correct horse")
    assert line == registry.htpasswd("nexus", "correct horse")
    user, hashed = line.strip().split(":")
    assert user == "nexus"
    assert bcrypt.checkpw(b"correct horse", hashed.encode())
    assert not bcrypt.checkpw(b"battery staple", hashed.encode())


def test_registry_runs_on_the_first_ops_host_with_tls_and_password(tmp_path: Path) -> None:
    env = environment(tmp_path, registry_port=5001)
    assert registry.plan(env, env.host("ops2")).packages == ()
    found = registry.plan(env, env.host("ops1"))
    config = yaml.safe_load(next(f.data for f in found.files if f.path == registry.CONFIG))
    assert config["http"]["addr"] == "0.0.0.0:5001"
    assert config["http"]["tls"]["key"].endswith("leaf.key")
    assert config["auth"]["htpasswd"]["path"] == registry.PASSWORDS
    assert registry.repository(env, "glitch") == "ops1:5001/nexus-cos/glitch"
    assert all(env.secret("registry/nexus/a") not in file.data.decode() for file in found.files)

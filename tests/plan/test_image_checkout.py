"""Images of services from a checkout of their code: their contents, shared parts, and refused checkouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.image.checkout import checkout
from roles.image.plan import notes
from roles.image.recipe import recipe
from roles.image.runtime import has_code, probes
from tests.fixtures.checkout import WITHOUT_CODE, make_checkout
from tests.plan.image_environment import (
    cooked,
    dockerfile,
    environment,
    members,
    no_source,  # noqa: F401 - a fixture
)


@pytest.fixture(name="code")
def code_(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "platform", environment(tmp_path).catalogue)


def test_only_services_with_code_get_their_own_image(tmp_path: Path, code: Path) -> None:
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


def test_the_layout_lets_a_service_load_files_two_levels_up(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    assert "srv/middleware/handshake-validator.js" in members(images["user-auth"])
    assert "srv/services/user-auth/server.js" in members(images["user-auth"])
    assert "srv/middleware/handshake-validator.js" not in members(images["glitch"])
    assert 'CMD ["node", "src/index.js"]' in dockerfile(images["session-mgr"])
    assert "WORKDIR /srv/services/session-mgr\n" in dockerfile(images["session-mgr"])


def test_files_for_developers_are_left_out(tmp_path: Path, code: Path) -> None:
    (code / "services/glitch/node_modules/x").mkdir(parents=True)
    (code / "services/glitch/node_modules/x/index.js").write_text("x")
    names = set(members(cooked(tmp_path, image_source=str(code)).images["glitch"]))
    assert names == {"Dockerfile", "srv/services/glitch/package.json", "srv/services/glitch/server.js"}


def test_services_with_the_same_dependencies_share_one_install(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    node = [i for name, i in images.items() if name not in ("router", "billing-service", WITHOUT_CODE)]
    installs = {image.parents[0].tag for image in node}
    assert len(installs) == 6  # express alone, with redis, with redis and jsonwebtoken, with pg, with mysql2, with ws
    assert images["invoice-gen"].parents[0] == images["ledger-mgr"].parents[0]
    assert images["puabo-nexus"].parents[0] == images["glitch"].parents[0]  # its packages: fleet-manager's


def test_python_runs_on_debian_packages(tmp_path: Path, code: Path) -> None:
    billing = cooked(tmp_path, image_source=str(code)).images["billing-service"]
    assert "python3-fastapi python3-uvicorn" in dockerfile(billing.parents[0])
    assert "uvicorn --app-dir . main:app --host 0.0.0.0 --port" in dockerfile(billing)


def test_exit_code_1_is_a_normal_stop_only_where_declared(tmp_path: Path, code: Path) -> None:
    images = cooked(tmp_path, image_source=str(code)).images
    assert 'STOP_STATUS="0 1 143"' in dockerfile(images["glitch"])
    assert 'STOP_STATUS="0 143"' in dockerfile(images["auth-service"])


def test_a_changed_file_rebuilds_one_service(tmp_path: Path, code: Path) -> None:
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
    package.write_text(json.dumps({"dependencies": {"express": "4"}, "scripts": {"postinstall": "node server.js"}}))
    modules = cooked(tmp_path, image_source=str(code)).images["glitch"].parents[0]
    assert "packages/server.js" in members(modules)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda code: "/dev/null/none", ["NEXUS_SOURCE=/dev/null/none is not a directory"]),
        (lambda code: str(code / "middleware"), ["is not a checkout of the platform", "such as services/"]),
        (lambda code: _without(code / "services/glitch/server.js"), ["server.js is missing", "glitch starts from it"]),
        (lambda code: _with(code / "services/glitch/package.json", b"{,"), ["package.json is not valid JSON"]),
        (lambda code: _linked(code / "services/glitch/key", Path("/etc/hostname")), ["leads out of the checkout"]),
        (lambda code: _with(code / "services/glitch/big", bytes(2 << 20)), ["glitch holds more than 1 MiB"]),
    ],
)
def test_a_source_that_cannot_be_built_is_refused(tmp_path: Path, code: Path, spoil: Any, words: list[str]) -> None:
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

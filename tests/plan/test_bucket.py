"""Buckets of services as planned: which key opens what, how services get it, and what is refused before any host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nexus.cli.command import NO_SECRETS
from nexus.environment import inventory
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.secrets.store import Secrets
from roles.backup import plan as backup
from roles.service import plan as service
from roles.service.contents import config, credentials
from roles.storage import bucket
from roles.storage.plan import IDENTITIES, UNIT_FILE, identities, notes, plan
from runbooks.secret import rotation
from runbooks.secret.rule import chosen, rule_of
from tests.plan.environments import environment
from tests.plan.store_environment import file, text, told

CONTENT, UPLOAD = "content-management", "puabo-dsp-upload-mgr"
HERE = {"app1": "app", "data1": "etcd postgresql", "ops1": "ops storage"}
OUTSIDE = {"app1": "app", "data1": "etcd postgresql", "ops1": "ops"}
AWS = {"storage_endpoint": "s3.eu-central-1.amazonaws.com", "storage_port": 443, "storage_region": "eu-central-1"}


def env_of(tmp_path: Path, groups: dict[str, str] | None = None, **settings: Any) -> Environment:
    return environment(tmp_path, groups or HERE, **settings)


def outside(tmp_path: Path, *services: str, **settings: Any) -> Environment:
    """An environment with external storage, whose owner gave these services a key."""
    env = env_of(tmp_path, OUTSIDE, **{**AWS, **settings})
    for name in services:
        env.secrets.put(f"storage/{name}/key", f"AKIA-{name}")
        env.secrets.put(f"storage/{name}", f"secret of {name}")
    return env


def credentials_of(env: Environment, name: str) -> dict[str, str]:
    return credentials(env, env.catalogue.service(name))


def config_of(env: Environment, name: str) -> dict[str, str]:
    return config(env, env.catalogue.service(name))


def accepted(env: Environment) -> set[tuple[str, str]]:
    """Keys that the planned server accepts."""
    return {(key["accessKey"], key["secretKey"]) for one in identities(env) for key in one["credentials"]}


def key_of(told: dict[str, str]) -> tuple[str, str]:
    return told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]


@pytest.mark.parametrize("environment", ["lab", "box", "lab_wide"])
def test_environments_of_this_project_have_valid_names(environment: str) -> None:
    env = inventory.load(environment, NO_SECRETS)
    assert bucket.services(env)
    for each in bucket.services(env):
        assert bucket.NAME.fullmatch(bucket.name(env, each.name))


def test_each_declaring_service_has_a_versioned_bucket(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    (state,) = [state for state in plan(env, env.host("ops1")).states if state.name == "storage bucket"]
    names = ["nexus-cos-backups", f"nexus-cos-test-{CONTENT}", f"nexus-cos-test-{UPLOAD}"]
    assert state.items == {f"bucket {name}": {"versioned": True} for name in names}
    assert state.extra == "keep"  # its content has no other copy


def test_a_key_reaches_only_objects_of_its_own_bucket(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("ops1"))
    found = {one["name"]: one for one in json.loads(text(planned, IDENTITIES))["identities"]}
    assert {"nexus-admin", "nexus-backup", "nexus-copy", "content_management", "puabo_dsp_upload_mgr"} == set(found)
    own = f"nexus-cos-test-{CONTENT}"
    assert found["content_management"]["actions"] == [
        f"Read:{own}", f"List:{own}", f"Write:{own}/*", f"Tagging:{own}/*"
    ]  # fmt: skip
    assert file(planned, IDENTITIES).secret
    for name in (CONTENT, UPLOAD):
        for _, secret in env.logins("storage", name):
            assert secret not in told(planned)


def test_changed_keys_reload_and_removed_services_restart(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("ops1"))
    unit = planned.units[0]
    assert unit.reload_on == (IDENTITIES,)
    assert UNIT_FILE in unit.restart_on
    assert "ExecReload=" in text(planned, UNIT_FILE)
    fewer = env_of(tmp_path, services_excluded=[UPLOAD])
    assert "puabo_dsp_upload_mgr" in text(planned, UNIT_FILE)
    assert "puabo_dsp_upload_mgr" not in text(plan(fewer, fewer.host("ops1")), UNIT_FILE)


def test_services_get_the_location_of_their_bucket(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    found = credentials_of(env, CONTENT)
    assert found["S3_ENDPOINT"] == f"https://{env.host('ops1').address}:8333"
    assert found["AWS_ENDPOINT_URL_S3"] == found["S3_ENDPOINT"]
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == found["S3_REGION"]
    assert "AWS_ENDPOINT_URL" not in found  # it would redirect clients of other AWS services to this server
    assert (found["S3_BUCKET"], found["S3_REGION"]) == (f"nexus-cos-test-{CONTENT}", "us-east-1")
    assert found["S3_FORCE_PATH_STYLE"] == "true"
    assert key_of(found) == ("content_management_a", env.secret(f"storage/{CONTENT}/a"))
    assert "object-storage" in config_of(env, CONTENT)["STORES"].split(",")
    assert "object-storage" not in config_of(env, CONTENT)["STORES_ABSENT"]
    assert not {key for key in credentials_of(env, "auth-service") if key.startswith(("S3_", "AWS_"))}


def test_without_object_storage_services_do_without(tmp_path: Path) -> None:
    env = env_of(tmp_path, OUTSIDE)
    assert not env.present(bucket.STORE)
    assert "object-storage" in config_of(env, CONTENT)["STORES_ABSENT"].split(",")
    assert "S3_ENDPOINT" not in credentials_of(env, CONTENT)
    assert notes(env) == []


def test_a_rotation_keeps_access_and_revokes_the_old_key(tmp_path: Path) -> None:
    env, unit = env_of(tmp_path), f"storage/{CONTENT}"
    before = key_of(credentials_of(env, CONTENT))
    assert chosen(env, unit) == [unit]
    rotation.introduce(env, [unit])
    assert before in accepted(env)
    rotation.switch(env)
    env.secrets.save()
    env = Environment(env.name, env.hosts, env.setting, Secrets(env.secrets.path, env.secrets.identity, generate=True))
    after = key_of(credentials_of(env, CONTENT))
    assert {before, after} <= accepted(env)
    assert rotation.retire(env) == [unit]
    assert after in accepted(env)
    assert before not in accepted(env)


def test_external_storage_uses_the_bucket_of_its_owner(tmp_path: Path) -> None:
    env = outside(tmp_path, CONTENT, UPLOAD, storage_service_bucket_of={UPLOAD: "uploads-of-ours"})
    found = credentials_of(env, CONTENT)
    assert found["S3_ENDPOINT"] == "https://s3.eu-central-1.amazonaws.com"
    assert (found["S3_BUCKET"], found["S3_REGION"]) == (f"nexus-cos-test-{CONTENT}", "eu-central-1")
    assert key_of(found) == (f"AKIA-{CONTENT}", f"secret of {CONTENT}")
    assert credentials_of(env, UPLOAD)["S3_BUCKET"] == "uploads-of-ours"
    assert notes(env) == []
    assert not [name for name in env.secrets.names() if name.endswith(("/a", "/b")) and name.startswith("storage/")]
    assert rule_of(env, f"storage/{CONTENT}").kind == "kept"


def test_external_storage_without_a_key_is_noted(tmp_path: Path) -> None:
    env = outside(tmp_path, CONTENT)
    assert env.present(bucket.STORE, CONTENT)
    assert not env.present(bucket.STORE, UPLOAD)
    assert "object-storage" in config_of(env, UPLOAD)["STORES_ABSENT"]
    assert "S3_BUCKET" not in credentials_of(env, UPLOAD)
    (line,) = notes(env)
    for word in (UPLOAD, f"nexus-cos-test-{UPLOAD}", f"storage/{UPLOAD}/key", "storage_service_bucket_of"):
        assert word in line


def test_half_a_key_is_refused(tmp_path: Path) -> None:
    env = outside(tmp_path, CONTENT)
    env.secrets.put(f"storage/{CONTENT}", None)
    with pytest.raises(OperatorError, match=f"half of the key of {CONTENT} .*: add storage/{CONTENT} with `make"):
        notes(env)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            {"storage_service_bucket": "cos-{env}"},
            "is not a valid pattern ('env'): use only {environment} and {service}",
        ),
        ({"storage_service_bucket": "cos-{}-{service}"}, "use only {environment} and {service}"),
        ({"storage_service_bucket": "cos-{service"}, "use only {environment} and {service}"),
        ({"storage_service_bucket": "COS-{service}"}, f'named "COS-{CONTENT}": a name has 3 to 63 lower-case letters'),
        ({"storage_service_bucket": "x" * 50 + "-{service}"}, "a name has 3 to 63"),
        ({"storage_service_bucket": "ours"}, f'{CONTENT} and {UPLOAD} would share the bucket "ours"'),
        ({"storage_service_bucket_of": {UPLOAD: "nexus-cos-backups"}}, f"backups and {UPLOAD} would share"),
        ({"storage_service_bucket_of": {"content-managment": "ours"}}, f'did you mean "{CONTENT}"'),
        ({"storage_service_bucket_of": {"auth-service": "ours"}}, "no object-storage among its stores"),
    ],
)
def test_invalid_bucket_names_are_refused(tmp_path: Path, settings: dict[str, Any], complaint: str) -> None:
    env = env_of(tmp_path, **settings)
    with pytest.raises(OperatorError) as caught:
        notes(env)
    assert complaint in str(caught.value)
    assert "storage_service_bucket" in str(caught.value)


@pytest.mark.parametrize("role", [backup, service], ids=["backup", "service"])
def test_external_storage_is_checked_without_a_host(tmp_path: Path, role: Any) -> None:
    env = outside(tmp_path, CONTENT, storage_service_bucket="{nonsense}")
    with pytest.raises(OperatorError, match="nonsense"):
        role.notes(env)

"""Object storage as planned: permissions, ports, and environments with an external bucket."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.storage.host.signature import headers
from roles.storage.plan import BACKUP, FRONT, IDENTITIES, SYSTEM_CA, UNIT_FILE, access, notes, plan, present
from tests.plan.environments import environment
from tests.plan.store_environment import file, text, told

GROUPS = {"data1": "etcd postgresql", "ops1": "ops storage", "ops2": "ops storage"}


def env_of(tmp_path: Path, groups: dict[str, str] | None = None, **settings: Any) -> Environment:
    return environment(tmp_path, groups or GROUPS, **settings)


def test_one_host_runs_the_server(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    assert plan(env, env.host("ops1")).units
    assert not plan(env, env.host("ops2")).units
    assert "only the first" in notes(env)[0]


def test_only_authenticated_ports_listen_outside(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    unit = text(plan(env, env.host("ops1")), UNIT_FILE)
    assert "-s3.ip.bind=127.0.0.1" in unit
    assert " -ip.bind=127.0.0.1 " in unit
    front = text(plan(env, env.host("ops1")), f"{FRONT}.socket")
    assert f"ListenStream={env.host('ops1').address}:8333\n" in front
    assert "-s3.cert.file" in unit
    assert "-s3.iam=false" in unit  # identities cannot be created over the network


def test_backups_may_touch_their_own_bucket_and_no_other(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("ops1"))
    found = {entry["name"]: entry for entry in json.loads(text(planned, IDENTITIES))["identities"]}
    bucket = env.catalogue.operations.backups.bucket.name
    assert all(action.endswith(f":{bucket}") for action in found["nexus-backup"]["actions"])
    assert not any(action.startswith("Admin") for action in found["nexus-backup"]["actions"])
    assert file(planned, IDENTITIES).secret
    assert access(env, BACKUP)["secret"] not in told(planned)


def test_credentials_differ_by_use(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    assert access(env, "backup")["secret"] != access(env, "admin")["secret"]


def test_a_bucket_elsewhere(tmp_path: Path) -> None:
    endpoint = "s3.eu-central-1.amazonaws.com"
    settings = {"storage_endpoint": endpoint, "storage_port": 443, "storage_region": "eu-central-1"}
    env = env_of(tmp_path, {"data1": "etcd postgresql"}, storage_bucket="ours", **settings)
    found = access(env, BACKUP)
    assert present(env)
    assert (found["endpoint"], found["port"], found["bucket"]) == (endpoint, 443, "ours")
    assert found["ca"] == SYSTEM_CA
    assert found["key"] == env.secret("storage/backup/key")


def test_two_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="backups go to only one of them"):
        notes(env_of(tmp_path, storage_endpoint="s3.amazonaws.com"))


@pytest.mark.parametrize("endpoint", ["https://s3.amazonaws.com", "s3.amazonaws.com:443"])
def test_an_endpoint_is_a_name(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(OperatorError, match="set only the host name"):
        notes(env_of(tmp_path, {"data1": "postgresql"}, storage_endpoint=endpoint))


def test_requests_are_signed_as_the_specification_says() -> None:
    """The example "GET Bucket Lifecycle" of the documentation of AWS Signature Version 4."""
    login = {"key": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "region": "us-east-1"}
    when = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
    empty = hashlib.sha256(b"").hexdigest()
    found = headers(login, "examplebucket.s3.amazonaws.com", "GET", "/", "lifecycle=", empty, when)
    signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    assert found["Authorization"].endswith(f"Signature={signature}")

"""MongoDB as planned. No server runs here: the vendor's packages are not available to these tests."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.mongodb.host import members, shell, state
from roles.mongodb.plan import CONFIG, KEYRING, MEMBERS_KEY, SOURCES, notes, plan, preflight
from roles.service.contents import credentials
from tests.plan.store_environment import ADDRESS, environment, text, told

HELPER = Path("/usr/lib/apt/apt-helper")


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    key = tmp_path / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    return environment(tmp_path, mongodb_key_file=str(key))


def test_authentication_and_tls_are_required(env: Environment) -> None:
    config = yaml.safe_load(text(plan(env, env.host("data1")), CONFIG))
    assert config["security"]["authorization"] == "enabled"
    assert config["net"]["tls"]["mode"] == "requireTLS"
    assert config["net"]["bindIp"] == f"{ADDRESS},127.0.0.1"
    assert config["storage"]["wiredTiger"]["engineConfig"]["cacheSizeGB"] == 6.4


def test_packages_come_from_the_vendor_and_are_signed_by_its_key(env: Environment) -> None:
    desired = plan(env, env.host("data1"))
    found = dict(line.split(": ", 1) for line in text(desired, SOURCES).splitlines())
    assert found["Suites"].endswith("/mongodb-org/8.0")
    assert found["Signed-By"] == KEYRING
    assert text(desired, KEYRING).startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert {item.path for item in desired.early} == {SOURCES, KEYRING}


def test_a_service_has_two_logins_to_its_own_database(env: Environment) -> None:
    _, state = plan(env, env.host("data1")).states
    assert set(state.items) == {
        "user content_management.content_management_a",
        "user content_management.content_management_b",
    }
    assert {role for item in state.items.values() for role in item["roles"]} == {"readWrite@content_management"}


def test_passwords_are_sent_only_with_a_change(env: Environment) -> None:
    desired = plan(env, env.host("data1"))
    _, state = desired.states
    passwords = [password for _, password in env.logins("mongodb", "content-management")]
    assert list(state.payload.values()) == passwords
    for password in passwords:
        assert password not in told(desired) + repr(dict(state.context))


def test_a_missing_key_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    env = environment(tmp_path, mongodb_key_file="nowhere/key.asc")
    with pytest.raises(OperatorError, match=r"nowhere/key.asc is missing.*curl -fsS .*https://"):
        plan(env, env.host("data1"))


@pytest.mark.skipif(not HELPER.exists() or Path("/usr/bin/mongod").exists(), reason="needs apt and no mongod")
def test_an_unreachable_repository_fails_the_preflight(tmp_path: Path) -> None:
    # Port 9 is discard, which has no listener: the connection is refused at once.
    env = environment(tmp_path, mongodb_repository="http://127.0.0.1:9/debian")
    done = subprocess.run(["sh", "-c", preflight(env, env.host("data1"))], capture_output=True, text=True)
    assert done.returncode == 1
    assert "data1: MongoDB is not installed and http://127.0.0.1:9/debian/dists/" in done.stdout


@pytest.mark.skipif(not shutil.which("node"), reason="needs node to read the script")
@pytest.mark.parametrize("body", [state.SCRIPT, members.SHOW, members.CHANGE], ids=["users", "show", "change"])
def test_the_shells_scripts_can_be_parsed(tmp_path: Path, body: str) -> None:
    script = tmp_path / "script.js"
    script.write_text(shell.COMMON + body)
    done = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_three_hosts_form_one_replica_set_made_by_one(tmp_path: Path) -> None:
    key = tmp_path / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    env = environment(tmp_path, data=3, mongodb_key_file=str(key))
    plans = {host.name: plan(env, host) for host in env.group("mongodb")}
    keys = {file.content for desired in plans.values() for file in desired.files if file.path == MEMBERS_KEY}
    assert len(keys) == 1
    assert re.fullmatch(r"[A-Za-z0-9+/]{6,1024}\n", str(keys.pop()))
    for desired in plans.values():
        config = yaml.safe_load(text(desired, CONFIG))
        assert config["replication"] == {"replSetName": "nexus-cos"}
        assert config["security"]["keyFile"] == MEMBERS_KEY
    assert [len(desired.states) for desired in plans.values()] == [2, 0, 0]
    set_, _ = plans["data1"].states
    assert set_.items == {"replica set": {"members": [f"10.9.0.3{n}:27017" for n in (1, 2, 3)]}}
    url = credentials(env, env.catalogue.service("content-management"))["MONGODB_URL"]
    assert "@10.9.0.31:27017,10.9.0.32:27017,10.9.0.33:27017/content_management?" in url
    assert "replicaSet=nexus-cos" in url


def test_another_host_manages_the_set_without_the_first(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3, mongodb_key_file=str(Path(__file__)), without="data1")
    assert [bool(plan(env, host).states) for host in env.group("mongodb")] == [False, True, False]


def test_two_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="mongodb names 2 hosts"):
        notes(environment(tmp_path, data=2))

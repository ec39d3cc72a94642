"""MongoDB as planned. No server runs here: the vendor's packages are not at hand where these tests run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.mongodb.plan import CONFIG, KEYRING, SOURCES, plan, preflight
from tests.plan.store import ADDRESS, environment, text, told

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
    (state,) = plan(env, env.host("data1")).states
    assert set(state.items) == {
        "user content_management.content_management_a",
        "user content_management.content_management_b",
    }
    assert {role for item in state.items.values() for role in item["roles"]} == {
        "readWrite@content_management"
    }


def test_passwords_travel_with_a_change_alone(env: Environment) -> None:
    desired = plan(env, env.host("data1"))
    (state,) = desired.states
    passwords = [password for _, password in env.logins("mongodb", "content-management")]
    assert list(state.payload.values()) == passwords
    for password in passwords:
        assert password not in told(desired) + repr(dict(state.context))


def test_a_missing_key_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    env = environment(tmp_path, mongodb_key_file="nowhere/key.asc")
    with pytest.raises(OperatorError, match=r"nowhere/key.asc is missing.*curl -fsS .*https://"):
        plan(env, env.host("data1"))


@pytest.mark.skipif(not HELPER.exists() or Path("/usr/bin/mongod").exists(), reason="needs apt and no mongod")
def test_a_repository_out_of_reach_is_told_before_anything_is_done(tmp_path: Path) -> None:
    # Port 9 is discard, which nothing listens on: the answer is a refusal, at once.
    env = environment(tmp_path, mongodb_repository="http://127.0.0.1:9/debian")
    done = subprocess.run(["sh", "-c", preflight(env, env.host("data1"))], capture_output=True, text=True)
    assert done.returncode == 1
    assert "data1: MongoDB is not installed and http://127.0.0.1:9/debian/dists/" in done.stdout


@pytest.mark.skipif(not shutil.which("node"), reason="needs node to read the script")
def test_the_shells_script_can_be_parsed(tmp_path: Path) -> None:
    scope: dict[str, str] = {}
    source = Path(__file__).parents[2] / "roles" / "mongodb" / "remote.py"
    exec(compile(source.read_text(), str(source), "exec"), scope)
    script = tmp_path / "script.js"
    script.write_text(scope["SCRIPT"])
    done = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

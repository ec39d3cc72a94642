"""Elasticsearch, Kibana and Filebeat as planned. None of them runs here: the vendor's packages are not available."""

from __future__ import annotations

import base64
import configparser
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Desired, File
from roles.certificate.plan import CA, KEY, LEAF
from roles.elk import account
from roles.elk import plan as elk
from roles.elk.plan import plan, preflight
from roles.table import ROLES
from runbooks.secret.rule import rule_of
from tests.plan.environments import LAB, environment

HELPER = Path("/usr/lib/apt/apt-helper")
SECRETS = ("elk/admin", "elk/kibana", "elk/filebeat", "elk/encryption")


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "key.asc"
    path.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    return str(path)


@pytest.fixture
def env(tmp_path: Path, key: str) -> Environment:
    return environment(tmp_path, elk_enabled=True, elk_key_file=key)


@pytest.fixture
def desired(env: Environment) -> Desired:
    return plan(env, env.host("ops1"))


def files(desired: Desired) -> dict[str, File]:
    return {file.path: file for file in (*desired.early, *desired.files)}


def text(desired: Desired, path: str) -> str:
    return files(desired)[path].data.decode()


def test_elk_is_off_unless_an_environment_wants_it(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert plan(env, env.host("ops1")) == Desired()
    assert preflight(env, env.host("ops1")) is None
    assert ROLES.of(env.host("app1")).count("elk") == 0


def test_only_the_host_with_the_journals_has_it(tmp_path: Path, key: str) -> None:
    env = environment(tmp_path, {**LAB, "ops2": "ops"}, elk_enabled=True, elk_key_file=key)
    assert plan(env, env.host("ops1")).units
    assert plan(env, env.host("ops2")) == Desired()
    assert preflight(env, env.host("ops2")) is None


def test_a_missing_key_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    env = environment(tmp_path, elk_enabled=True, elk_key_file="nowhere/key.asc")
    with pytest.raises(
        OperatorError, match=r"Elastic: .*nowhere/key.asc is missing.*curl -fsS .*https://.*elk_enabled"
    ):
        plan(env, env.host("ops1"))


def test_packages_come_from_the_vendor_in_the_planned_version(desired: Desired) -> None:
    assert "URIs: https://artifacts.elastic.co/packages/8.x/apt\n" in text(desired, elk.SOURCES)
    assert f"Signed-By: {elk.KEYRING}\n" in text(desired, elk.SOURCES)
    pins = [configparser.ConfigParser(), configparser.ConfigParser()]
    for parser, stanza in zip(pins, text(desired, elk.PIN).split("\n\n"), strict=True):
        parser.read_string(f"[pin]\n{stanza}")
    found = [(pin["pin"]["package"], pin["pin"]["pin"], pin["pin"]["pin-priority"]) for pin in pins]
    names = "elasticsearch kibana filebeat"
    assert found == [(names, "version 8.19.*", "990"), (names, "version *", "-1")]
    assert desired.packages == tuple(names.split())


def test_elasticsearch_is_configured_before_its_package_is(desired: Desired) -> None:
    """Otherwise the package makes certificates and a password of its own."""
    early = {file.path: file for file in desired.early}
    config = yaml.safe_load(early[elk.CONFIG].data)
    assert config["xpack.security.enabled"] is True


def test_all_listen_on_loopback_over_tls(env: Environment, desired: Desired) -> None:
    config = yaml.safe_load(text(desired, elk.CONFIG))
    assert (config["network.host"], config["http.port"]) == ("127.0.0.1", env.setting.elasticsearch_port)
    leaf = {"enabled": True, "key": "tls/leaf.key", "certificate": "tls/leaf.pem"}
    for layer in ("http", "transport"):
        assert config[f"xpack.security.{layer}.ssl"] == {**leaf, "certificate_authorities": ["tls/ca.pem"]}
    kibana = yaml.safe_load(text(desired, elk.KIBANA_CONFIG))
    assert (kibana["server.host"], kibana["server.port"]) == ("127.0.0.1", env.setting.kibana_port)
    assert (kibana["server.ssl.certificate"], kibana["server.ssl.key"]) == (LEAF, KEY)
    filebeat = yaml.safe_load(text(desired, elk.FILEBEAT_CONFIG))["output.elasticsearch"]
    url = f"https://127.0.0.1:{env.setting.elasticsearch_port}"
    assert filebeat["hosts"] == kibana["elasticsearch.hosts"] == [url]
    assert filebeat["ssl.certificate_authorities"] == kibana["elasticsearch.ssl.certificateAuthorities"] == [CA]


def test_elasticsearch_gets_its_certificate_at_every_start(desired: Desired) -> None:
    drop_in = text(desired, elk._drop_in("elasticsearch"))
    assert f"{CA} {LEAF} {KEY} /etc/elasticsearch/tls\n" in drop_in
    restarts = {unit.name: set(unit.restart_on) for unit in desired.units}
    assert restarts["elasticsearch"] >= {elk.CONFIG, elk.HEAP, CA, LEAF, KEY}
    assert restarts["kibana"] >= {elk.KIBANA_CONFIG, elk.KIBANA_SECRETS, CA, LEAF, KEY}
    assert restarts["filebeat"] >= {elk.FILEBEAT_CONFIG, elk.FILEBEAT_SECRETS, elk.JOURNALCTL, CA}


def test_kibana_reads_the_key_and_others_do_not(desired: Desired) -> None:
    assert [(user.name, user.groups) for user in desired.users] == [("kibana", ("nexus-tls",))]


def test_passwords_are_in_closed_files_alone(env: Environment, desired: Desired) -> None:
    secrets = [env.secret(name) for name in SECRETS]
    assert len(set(secrets)) == len(SECRETS)
    assert len(env.secret("elk/encryption")) >= 32  # Kibana refuses shorter ones
    for path, file in files(desired).items():
        held = [name for name, secret in zip(SECRETS, secrets, strict=True) if secret.encode() in file.data]
        assert bool(held) == (path in (elk.KIBANA_SECRETS, elk.FILEBEAT_SECRETS)), path
        if held or path == elk.USERS:
            assert file.secret
            assert file.mode in (0o400, 0o640)
    for name in SECRETS:
        assert rule_of(env, name).kind == ("kept" if name == "elk/encryption" else "replace")


def test_variables_of_the_configurations_are_in_those_files(env: Environment, desired: Desired) -> None:
    for config, path in ((elk.KIBANA_CONFIG, elk.KIBANA_SECRETS), (elk.FILEBEAT_CONFIG, elk.FILEBEAT_SECRETS)):
        defined = {line.partition("=")[0] for line in text(desired, path).splitlines()}
        used = {value[2:-1] for value in _values(yaml.safe_load(text(desired, config))) if value.startswith("${")}
        assert used == defined


def _values(content: dict) -> list[str]:
    found = []
    for value in content.values():
        found += _values(value) if isinstance(value, dict) else [str(value)]
    return found


def test_users_have_the_hashes_that_elasticsearch_reads(env: Environment, desired: Desired) -> None:
    lines = dict(line.split(":") for line in text(desired, elk.USERS).splitlines())
    assert set(lines) == set(account.SECRETS)
    for user, secret in account.SECRETS.items():
        head, salt, made = lines[user].split("$")
        assert head == "{PBKDF2}10000"
        salted = base64.b64decode(salt)
        expected = hashlib.pbkdf2_hmac("sha512", env.secret(secret).encode(), salted, 10000, 32)
        assert (len(salted), base64.b64decode(made)) == (16, expected)
    roles = dict(line.split(":") for line in text(desired, elk.USERS_ROLES).splitlines())
    assert roles == {"superuser": "nexus-admin", "kibana_system": "nexus-kibana", "nexus_cos_writer": "nexus-filebeat"}
    config = yaml.safe_load(text(desired, elk.CONFIG))
    assert config["xpack.security.authc.reserved_realm.enabled"] is False


def test_filebeat_may_add_lines_and_nothing_else(env: Environment, desired: Desired) -> None:
    (role,) = yaml.safe_load(text(desired, elk.ACCESS)).values()
    (indices,) = role["indices"]
    assert indices == {"names": ["nexus-cos-*"], "privileges": ["create_doc", "auto_configure"]}
    assert role["cluster"] == ["monitor"]


def test_filebeat_reads_the_journals_of_all_hosts(desired: Desired) -> None:
    config = yaml.safe_load(text(desired, elk.FILEBEAT_CONFIG))
    (source,) = config["filebeat.inputs"]
    assert (source["type"], source["paths"], source["seek"]) == ("journald", ["/var/log/journal/remote"], "head")
    wrapper = files(desired)[elk.JOURNALCTL]
    assert 'exec /usr/bin/journalctl --merge "$@"' in wrapper.data.decode()
    assert wrapper.mode == 0o755
    folder = str(Path(elk.JOURNALCTL).parent)
    assert f"Environment=PATH={folder}:" in text(desired, elk._drop_in("filebeat"))


@pytest.mark.skipif(not HELPER.exists() or Path("/usr/share/kibana").exists(), reason="needs apt and no Kibana")
def test_an_unreachable_repository_fails_the_preflight(tmp_path: Path) -> None:
    # Port 9 is discard, which has no listener: the connection is refused at once.
    env = environment(tmp_path, elk_enabled=True, elk_apt_url="http://127.0.0.1:9")
    command = preflight(env, env.host("ops1"))
    assert command
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        "ops1: Not installed: elasticsearch kibana filebeat; and http://127.0.0.1:9/dists/stable/InRelease cannot"
        in done.stdout
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", ["elasticsearch", "kibana", "filebeat"])
def test_systemd_reads_the_drop_ins(desired: Desired, tmp_path: Path, unit: str) -> None:
    file = tmp_path / f"{unit}.service"
    file.write_text("[Service]\nExecStart=/bin/true\n")
    drop_in = tmp_path / f"{unit}.service.d/10-nexus-cos.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(text(desired, elk._drop_in(unit)))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert "10-nexus-cos.conf" not in done.stderr

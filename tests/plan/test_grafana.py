"""Grafana as planned. No server runs here: the vendor's package is not available to these tests."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Desired, File
from roles.grafana import plan as grafana
from roles.grafana.board import boards
from roles.grafana.plan import CONFIG, DASHBOARDS, DATA_SOURCE, PASSWORD, PIN, PROVIDER, SOURCES, plan, preflight
from roles.table import ROLES
from runbooks.secret.rule import rule_of
from tests.plan.environments import environment

HELPER = Path("/usr/lib/apt/apt-helper")


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    key = tmp_path / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    return environment(tmp_path, grafana_enabled=True, grafana_key_file=str(key))


def files(desired: Desired) -> dict[str, File]:
    return {file.path: file for file in (*desired.early, *desired.files)}


def text(desired: Desired, path: str) -> str:
    return files(desired)[path].data.decode()


def test_grafana_is_off_unless_an_environment_wants_it(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert plan(env, env.host("ops1")) == Desired()
    assert preflight(env, env.host("ops1")) is None
    assert ROLES.of(env.host("app1")).count("grafana") == 0


def test_it_listens_on_loopback_and_calls_nobody(env: Environment) -> None:
    config = configparser.ConfigParser()
    config.read_string(text(plan(env, env.host("ops1")), CONFIG))
    assert config["server"]["http_addr"] == "127.0.0.1"
    assert config["server"]["http_port"] == str(env.setting.grafana_port)
    for section, name, value in (
        ("analytics", "reporting_enabled", "false"),
        ("analytics", "check_for_updates", "false"),
        ("plugins", "preinstall_disabled", "true"),
        ("users", "allow_sign_up", "false"),
        ("auth.anonymous", "enabled", "false"),
    ):
        assert config[section][name] == value


def test_the_password_is_in_one_closed_file(env: Environment) -> None:
    desired = plan(env, env.host("ops1"))
    secret = env.secret("grafana/admin")
    held = files(desired)[PASSWORD]
    assert (held.data.decode(), held.mode, held.owner, held.secret) == (secret, 0o400, "grafana", True)
    assert [path for path, file in files(desired).items() if secret.encode() in file.data] == [PASSWORD]
    assert f"admin_password = $__file{{{PASSWORD}}}" in text(desired, CONFIG)
    assert PASSWORD in desired.units[0].restart_on
    assert rule_of(env, "grafana/admin").kind == "replace"


def test_its_database_is_in_memory(env: Environment) -> None:
    desired = plan(env, env.host("ops1"))
    assert "DATA_DIR=/run/grafana-data" in text(desired, grafana.DEFAULTS)
    assert "RuntimeDirectory=grafana-data" in text(desired, grafana.DROP_IN)


def test_packages_come_from_the_vendor_in_the_planned_version(env: Environment) -> None:
    desired = plan(env, env.host("ops1"))
    assert "URIs: https://apt.grafana.com\n" in text(desired, SOURCES)
    assert f"Signed-By: {grafana.KEYRING}\n" in text(desired, SOURCES)
    assert "Pin: version 11.6.*\nPin-Priority: 990\n" in text(desired, PIN)
    assert desired.packages == ("grafana",)


def test_dashboards_and_their_source_come_from_files(env: Environment) -> None:
    desired = plan(env, env.host("ops1"))
    (source,) = yaml.safe_load(text(desired, DATA_SOURCE))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", f"http://127.0.0.1:{env.setting.prometheus_port}")
    (provider,) = yaml.safe_load(text(desired, PROVIDER))["providers"]
    assert provider["options"] == {"path": DASHBOARDS}
    assert (provider["disableDeletion"], provider["allowUiUpdates"]) == (False, False)
    held = {path: json.loads(file.data) for path, file in files(desired).items() if path.startswith(f"{DASHBOARDS}/")}
    assert {found["title"] for found in held.values()} == {board.title for board in boards(env)}
    for found in held.values():
        assert {target["datasource"]["uid"] for panel in found["panels"] for target in panel["targets"]} == {
            source["uid"]
        }


def test_a_dashboard_that_is_not_planned_disappears(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is no longer planned, so a run removes it; Grafana then forgets the dashboard."""
    before = set(files(plan(env, env.host("ops1"))))
    fewer = [board for board in boards(env) if board.name != "etcd"]
    monkeypatch.setattr(grafana, "boards", lambda _: fewer)
    desired = plan(env, env.host("ops1"))
    assert before - set(files(desired)) == {f"{DASHBOARDS}/etcd.json"}
    assert all(file.removable for file in desired.files)


def test_a_new_dashboard_takes_no_restart(env: Environment) -> None:
    (unit,) = plan(env, env.host("ops1")).units
    assert not [path for path in unit.restart_on if path.startswith(f"{DASHBOARDS}/")]


def test_a_missing_key_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    env = environment(tmp_path, grafana_enabled=True, grafana_key_file="nowhere/key.asc")
    with pytest.raises(OperatorError, match=r"nowhere/key.asc is missing.*curl -fsS .*https://"):
        plan(env, env.host("ops1"))


@pytest.mark.skipif(not HELPER.exists() or Path("/usr/share/grafana").exists(), reason="needs apt and no Grafana")
def test_an_unreachable_repository_fails_the_preflight(tmp_path: Path) -> None:
    # Port 9 is discard, which has no listener: the connection is refused at once.
    env = environment(tmp_path, grafana_enabled=True, grafana_apt_url="http://127.0.0.1:9")
    command = preflight(env, env.host("ops1"))
    assert command
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ops1: Grafana is not installed and http://127.0.0.1:9/dists/stable/InRelease cannot" in done.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_reads_the_drop_in(env: Environment, tmp_path: Path) -> None:
    unit = tmp_path / "grafana-server.service"
    unit.write_text("[Service]\nRuntimeDirectory=grafana\nExecStart=/bin/true\n")
    drop_in = tmp_path / "grafana-server.service.d/10-nexus-cos.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(text(plan(env, env.host("ops1")), grafana.DROP_IN))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "10-nexus-cos.conf" not in done.stderr

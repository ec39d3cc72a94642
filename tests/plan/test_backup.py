"""Backups as planned: what each host saves, when, where, and with which keys."""

from __future__ import annotations

import configparser
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.plan.desired import Desired
from roles.backup.host.paths import CONFIG, IDENTITY
from roles.backup.plan import notes, plan
from roles.postgresql.patroni import CONFIG as PATRONI
from roles.postgresql.pgbackrest import CONFIG as PGBACKREST
from roles.postgresql.plan import plan as postgresql
from tests.plan.environments import environment
from tests.plan.store_environment import file, text, told

STORES = "etcd postgresql redis rabbitmq"
GROUPS = {"data1": STORES, "data2": STORES, "data3": STORES, "ops1": "ops storage"}


def env_of(tmp_path: Path, groups: dict[str, str] | None = None, **settings: Any) -> Environment:
    return environment(tmp_path, groups or GROUPS, **settings)


def config(planned: Desired) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(planned, CONFIG))
    return found


def pgbackrest(planned: Desired) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text(planned, PGBACKREST))
    return parser["global"]


def test_each_host_saves_what_it_has(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    assert config(plan(env, env.host("data2")))["kinds"] == ["postgresql", "redis", "rabbitmq"]
    assert config(plan(env, env.host("ops1")))["kinds"] == ["environment"]


def test_another_host_saves_the_environment_without_ops_hosts(tmp_path: Path) -> None:
    env = env_of(tmp_path, {"data1": STORES, "data2": STORES, "store1": "storage"})
    assert config(plan(env, env.host("data1")))["kinds"][-1] == "environment"
    assert "environment" not in config(plan(env, env.host("data2")))["kinds"]


def test_units_have_the_documented_names(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("data1"))
    assert [unit.name for unit in planned.units] == ["nexus-cos-backup.timer", "nexus-cos-restore-test.timer"]
    assert "OnCalendar=*-*-* 00/1:" in text(planned, "/etc/systemd/system/nexus-cos-backup.timer")
    assert "OnCalendar=Sun " in text(planned, "/etc/systemd/system/nexus-cos-restore-test.timer")
    service = text(planned, "/etc/systemd/system/nexus-cos-backup.service")
    assert " backup\n" in service
    assert "Restart=on-failure" in service
    assert "Restart=" not in text(planned, "/etc/systemd/system/nexus-cos-restore-test.service")


def test_figures_are_those_of_the_catalogue(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("data1"))
    assert config(planned)["postgresql"]["full_hours"] == 6
    assert pgbackrest(planned)["repo1-retention-full"] == "30"


def test_uploads_are_encrypted_and_verified(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    planned = plan(env, env.host("data1"))
    found = pgbackrest(planned)
    assert found["repo1-cipher-type"] == "aes-256-cbc"
    assert found["repo1-cipher-pass"] == env.secret("backup/postgresql")
    assert found["repo1-storage-verify-tls"] == "y"
    assert found["repo1-s3-endpoint"] == "ops1"
    for path in (PGBACKREST, CONFIG, IDENTITY):
        assert file(planned, path).secret
    for secret in ("backup/postgresql", "backup/age", "storage/backup"):
        assert env.secret(secret) not in told(planned)


def test_the_log_is_archived_continuously(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    start = yaml.safe_load(text(postgresql(env, env.host("data1")), PATRONI))["bootstrap"]["dcs"]
    found = start["postgresql"]["parameters"]
    assert found["archive_mode"] == "on"
    assert "archive-push %p" in found["archive_command"]
    assert found["archive_timeout"] == 60


def test_without_object_storage_a_note_replaces_backups(tmp_path: Path) -> None:
    env = env_of(tmp_path, {"data1": STORES})
    assert plan(env, env.host("data1")) == Desired()
    assert "test has no backups: add a host to the group storage" in notes(env)[0]
    start = yaml.safe_load(text(postgresql(env, env.host("data1")), PATRONI))["bootstrap"]["dcs"]
    assert "archive_mode" not in start["postgresql"]["parameters"]


def test_a_new_backup_series_keeps_the_old_one(tmp_path: Path) -> None:
    env = env_of(tmp_path, backup_series="second")
    assert pgbackrest(plan(env, env.host("data1")))["repo1-path"] == "/postgres-second"


def test_unarchived_wal_is_kept_unless_a_limit_is_set(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    env = env_of(first)
    assert "archive-push-queue-max" not in pgbackrest(plan(env, env.host("data1")))
    env = env_of(second, backup_wal_queue_gb=20)
    assert pgbackrest(plan(env, env.host("data1")))["archive-push-queue-max"] == "20GiB"


def test_the_secrets_file_counts_as_changed_when_a_secret_is(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    (state,) = [each for each in plan(env, env.host("ops1")).states if each.name == "backup secrets"]
    before = dict(state.items["secrets"])
    env.secrets.save()
    assert dict(state.items["secrets"]) == before
    env.secret("another/one")
    assert dict(state.items["secrets"]) != before


@pytest.mark.parametrize("module", ["main", "restore"])
def test_the_program_needs_only_the_planned_files(tmp_path: Path, module: str) -> None:
    """The program starts from the planned files alone, isolated from this project."""
    import subprocess
    import sys

    env = env_of(tmp_path)
    for planned in plan(env, env.host("data1")).files:
        if planned.path.startswith("/usr/local/lib/nexus-cos/python/"):
            target = tmp_path / "host" / planned.path.removeprefix("/usr/local/lib/nexus-cos/python/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(planned.data)
    done = subprocess.run(
        [sys.executable, "-S", "-m", f"roles.backup.host.{module}", "--help"],
        cwd=tmp_path / "host", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

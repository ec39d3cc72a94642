"""Backups: every host of a store saves it by a timer, and its key is root's alone."""

import pytest

testinfra_hosts = ["postgresql", "redis", "rabbitmq", "mongodb", "ops[0]"]


@pytest.fixture(autouse=True)
def _place(env, setting):
    if not env.group("storage") and not setting.storage_endpoint:
        pytest.skip("nothing is backed up: there is no object storage")


def test_age_is_installed(host):
    assert host.package("age").is_installed


def test_timer_runs(host, env):
    timer = host.service(env.catalogue.operations.backups.timer)
    assert timer.is_running
    assert timer.is_enabled


@pytest.mark.parametrize("name", ["config.json", "age.key"])
def test_keys_are_closed(host, name):
    file = host.file(f"/etc/nexus-cos/backup/{name}")
    assert (file.user, file.group, file.mode) == ("root", "root", 0o600)


@pytest.mark.hosts("postgresql")
def test_restores_are_tested(host):
    assert host.service("nexus-cos-restore-test.timer").is_running
    assert host.service("nexus-cos-restore-test.timer").is_enabled


@pytest.mark.hosts("postgresql")
def test_postgresql_is_saved_by_pgbackrest(host):
    assert host.package("pgbackrest").is_installed
    config = host.file("/etc/pgbackrest/pgbackrest.conf")
    assert (config.user, config.group, config.mode) == ("root", "postgres", 0o640)
    assert config.contains("^repo1-cipher-type=aes-256-cbc$")

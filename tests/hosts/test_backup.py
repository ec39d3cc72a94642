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


@pytest.mark.hosts("postgresql")
def test_exporter_reads_the_repository(host, address):
    assert host.service("prometheus-pgbackrest-exporter").is_running
    assert host.socket("tcp://127.0.0.1:9854").is_listening
    assert not host.socket(f"tcp://{address}:9854").is_listening
    assert 'pgbackrest_stanza_status{stanza="nexus-cos"} 0' in host.check_output(
        "curl -sf http://127.0.0.1:9854/metrics"
    )


def test_times_of_backups_are_exported(host):
    """One that has saved something has a record; the others have another host's turn."""
    times = host.file("/var/lib/prometheus/node-exporter/nexus_backup.prom")
    if not times.exists:
        pytest.skip("this host has saved nothing yet, or nothing since its backups have metrics")
    records = host.check_output("ls /var/lib/nexus-cos/backup")
    for kind in ("postgresql", "redis", "rabbitmq", "environment"):
        if f"{kind}.json\n" in records + "\n":
            assert times.contains(f'kind="{kind}"')

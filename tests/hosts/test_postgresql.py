"""PostgreSQL: a member that Patroni keeps, on every host of the group."""

import pytest

testinfra_hosts = ["postgresql"]


def test_packages_are_installed(host, setting):
    assert host.package(f"postgresql-{setting.postgresql_version}").is_installed
    assert host.package("patroni").is_installed


def test_patroni_runs(host):
    assert host.service("patroni").is_running
    assert host.service("patroni").is_enabled


@pytest.mark.parametrize("port", ["postgresql_port", "postgresql_rest_port"])
def test_port_is_open_to_the_others(host, address, setting, port):
    assert host.socket(f"tcp://{address}:{setting[port]}").is_listening


def test_server_runs_as_postgres(host):
    assert host.process.filter(user="postgres", comm="postgres")
    assert not host.process.filter(user="root", comm="postgres")


def test_data_is_closed(host, setting):
    data = host.file(f"/var/lib/postgresql/{setting.postgresql_version}/main")
    assert (data.user, data.group, data.mode) == ("postgres", "postgres", 0o700)


def test_passwords_are_closed(host):
    config = host.file("/etc/patroni/config.yml")
    assert (config.user, config.mode) == ("postgres", 0o600)


def test_server_reads_its_keys(host):
    assert {"nexus-tls", "nexus-etcd"} <= set(host.user("postgres").groups)


def test_exporter_logs_in(host, address):
    assert host.service("prometheus-postgres-exporter").is_running
    assert host.socket("tcp://127.0.0.1:9187").is_listening
    assert not host.socket(f"tcp://{address}:9187").is_listening
    metrics = host.check_output("curl -sf http://127.0.0.1:9187/metrics").splitlines()
    assert "pg_up 1" in [line.replace('{server="/run/postgresql:5432"}', "") for line in metrics]
    assert any(line.startswith("pg_database_size_bytes{") for line in metrics)


def test_exporter_may_read_no_tables(host):
    query = "select count(*) from pg_authid"
    assert "permission denied" in host.run("runuser -u prometheus -- psql -d postgres -Atc %s", query).stderr

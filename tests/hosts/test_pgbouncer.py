"""PgBouncer: the pooler in front of every server of PostgreSQL."""

testinfra_hosts = ["postgresql"]


def test_pgbouncer_is_installed(host):
    assert host.package("pgbouncer").is_installed


def test_pgbouncer_runs(host):
    assert host.service("pgbouncer").is_running
    assert host.service("pgbouncer").is_enabled


def test_pgbouncer_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.pgbouncer_port}").is_listening


def test_pgbouncer_runs_as_postgres(host):
    assert host.process.get(user="postgres", comm="pgbouncer")


def test_connections_are_pooled_and_encrypted(host):
    config = host.file("/etc/pgbouncer/pgbouncer.ini")
    assert config.contains("^pool_mode = transaction$")
    assert config.contains("^client_tls_sslmode = require$")


def test_users_are_closed(host):
    file = host.file("/etc/pgbouncer/userlist.txt")
    assert (file.user, file.group, file.mode) == ("postgres", "postgres", 0o640)

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


def test_exporter_logs_in(host, address):
    assert host.service("prometheus-pgbouncer-exporter").is_running
    assert host.socket("tcp://127.0.0.1:9127").is_listening
    assert not host.socket(f"tcp://{address}:9127").is_listening
    assert "pgbouncer_up 1" in host.check_output("curl -sf http://127.0.0.1:9127/metrics").splitlines()


def test_exporter_may_give_no_orders(host, setting):
    console = f"psql -h /run/postgresql -p {setting.pgbouncer_port} pgbouncer -c pause"
    assert "admin access needed" in host.run(f"runuser -u prometheus -- {console}").stderr

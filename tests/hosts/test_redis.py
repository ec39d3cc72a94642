"""Redis: every host of the group has one server with persistent data and one that may evict keys."""

import pytest

testinfra_hosts = ["redis"]


def test_packages_are_installed(host):
    assert host.package("redis-server").is_installed
    assert host.package("redis-tools").is_installed


@pytest.mark.parametrize("service", ["redis-server", "redis-server@cache"])
def test_server_runs(host, service):
    assert host.service(service).is_running
    assert host.service(service).is_enabled


@pytest.mark.parametrize("port", ["redis_port", "redis_cache_port"])
def test_server_listens(host, address, setting, port):
    assert host.socket(f"tcp://{address}:{setting[port]}").is_listening


@pytest.mark.parametrize("name", ["redis", "redis-cache"])
def test_server_takes_nothing_but_tls(host, name):
    assert host.file(f"/etc/redis/{name}.conf").contains("^port 0$")


def test_servers_run_as_redis(host):
    assert len(host.process.filter(user="redis", comm="redis-server")) >= 2
    assert not host.process.filter(user="root", comm="redis-server")


@pytest.mark.parametrize("name", ["redis", "redis-cache"])
def test_passwords_are_closed(host, name):
    users = host.file(f"/etc/redis/{name}.acl")
    assert (users.user, users.group, users.mode) == ("root", "redis", 0o640)


@pytest.mark.parametrize("port", ["redis_port", "redis_cache_port", "sentinel_port"])
def test_exporter_logs_in(host, setting, port):
    target = f"rediss://nexus-metrics@127.0.0.1:{setting[port]}"
    assert "redis_up 1" in host.check_output(f"curl -sf 'http://127.0.0.1:9121/scrape?target={target}'").splitlines()


def test_exporter_is_for_the_host_alone(host, address):
    assert host.service("prometheus-redis-exporter").is_running
    assert host.socket("tcp://127.0.0.1:9121").is_listening
    assert not host.socket(f"tcp://{address}:9121").is_listening
    passwords = host.file("/etc/prometheus/redis-passwords.json")
    assert (passwords.user, passwords.mode) == ("prometheus", 0o600)

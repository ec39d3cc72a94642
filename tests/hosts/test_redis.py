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

"""Sentinel: on every host of Redis one that watches over both primaries."""

import pytest

from roles.redis.instance import INSTANCES

testinfra_hosts = ["redis"]


def test_sentinel_is_installed(host):
    assert host.package("redis-sentinel").is_installed


def test_sentinel_runs(host):
    assert host.service("redis-sentinel").is_running
    assert host.service("redis-sentinel").is_enabled


def test_sentinel_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.sentinel_port}").is_listening


def test_sentinel_runs_as_redis(host):
    assert host.process.get(user="redis", comm="redis-sentinel")


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_primary_is_watched(host, env, instance):
    master = instance.master_name(env.catalogue)
    assert host.file("/var/lib/redis/sentinel/sentinel.conf").contains(f"^sentinel monitor {master} ")


@pytest.mark.parametrize("name", ["sentinel.conf", "sentinel.acl"])
def test_passwords_are_closed(host, name):
    file = host.file(f"/etc/redis/{name}")
    assert (file.user, file.group, file.mode) == ("root", "redis", 0o640)

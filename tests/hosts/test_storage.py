"""Object storage: one server, reached from outside through a socket of systemd."""

import pytest

from roles.storage.plan import METRICS_PORT, PORTS

testinfra_hosts = ["storage[0]"]


@pytest.mark.parametrize("service", ["seaweedfs.service", "seaweedfs-front.socket"])
def test_service_runs(host, service):
    assert host.service(service).is_running
    assert host.service(service).is_enabled


def test_storage_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.storage_port}").is_listening
    assert host.socket(f"tcp://127.0.0.1:{setting.storage_port}").is_listening


@pytest.mark.parametrize("port", PORTS.values(), ids=PORTS)
def test_what_asks_for_no_key_is_for_the_host_alone(host, address, port):
    assert host.socket(f"tcp://127.0.0.1:{port}").is_listening
    assert not host.socket(f"tcp://{address}:{port}").is_listening


def test_server_is_not_root(host):
    assert host.process.get(user="seaweedfs", comm="weed")
    assert "nexus-tls" in host.user("seaweedfs").groups


def test_data_is_closed(host, setting):
    data = host.file(setting.storage_directory)
    assert (data.user, data.group, data.mode) == ("seaweedfs", "seaweedfs", 0o700)


def test_keys_are_closed(host):
    keys = host.file("/etc/seaweedfs/identities.json")
    assert (keys.user, keys.group, keys.mode) == ("root", "seaweedfs", 0o640)


def test_metrics_are_for_the_host_alone(host, address):
    assert host.socket(f"tcp://127.0.0.1:{METRICS_PORT}").is_listening
    assert not host.socket(f"tcp://{address}:{METRICS_PORT}").is_listening
    metrics = host.check_output(f"curl -sf http://127.0.0.1:{METRICS_PORT}/metrics")
    assert "SeaweedFS_volumeServer_read_only_volumes{" in metrics

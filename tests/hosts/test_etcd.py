"""etcd: a member on every host of the group, for who has a certificate of its own authority."""

import pytest

testinfra_hosts = ["etcd"]


def test_packages_are_installed(host):
    assert host.package("etcd-server").is_installed
    assert host.package("etcd-client").is_installed


def test_etcd_runs(host):
    assert host.service("etcd").is_running
    assert host.service("etcd").is_enabled


@pytest.mark.parametrize("port", ["etcd_client_port", "etcd_peer_port"])
def test_port_is_open_to_the_others(host, address, setting, port):
    assert host.socket(f"tcp://{address}:{setting[port]}").is_listening


def test_metrics_are_for_the_host_alone(host, address, setting):
    assert host.socket(f"tcp://127.0.0.1:{setting.etcd_metrics_port}").is_listening
    assert not host.socket(f"tcp://{address}:{setting.etcd_metrics_port}").is_listening


def test_etcd_runs_as_etcd(host):
    assert host.process.get(user="etcd", comm="etcd")


def test_key_is_for_its_group(host):
    key = host.file("/etc/nexus-cos/etcd/leaf.key")
    assert (key.user, key.group, key.mode) == ("root", "nexus-etcd", 0o640)
    assert "nexus-etcd" in host.user("etcd").groups


def test_strangers_are_refused(host):
    assert host.file("/etc/default/etcd").contains("^ETCD_CLIENT_CERT_AUTH=true$")
    assert host.file("/etc/default/etcd").contains("^ETCD_PEER_CLIENT_CERT_AUTH=true$")


def test_metrics_tell_of_a_leader(host, setting):
    metrics = host.check_output(f"curl -sf http://127.0.0.1:{setting.etcd_metrics_port}/metrics").splitlines()
    assert "etcd_server_has_leader 1" in metrics

"""Registry: the first host of operations serves images over TLS to who has a password."""

import pytest

testinfra_hosts = ["ops[0]"]


def test_registry_is_installed(host):
    assert host.package("docker-registry").is_installed


def test_registry_runs(host):
    assert host.service("docker-registry").is_running
    assert host.service("docker-registry").is_enabled


def test_registry_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.registry_port}").is_listening


def test_registry_reads_its_key(host):
    assert "nexus-tls" in host.user("docker-registry").groups


@pytest.mark.parametrize("name", ["config.yml", "htpasswd"])
def test_passwords_are_closed(host, name):
    file = host.file(f"/etc/docker/registry/{name}")
    assert (file.user, file.group, file.mode) == ("root", "docker-registry", 0o640)


def test_images_belong_to_the_registry(host, setting):
    directory = host.file(setting.registry_directory)
    assert (directory.user, directory.mode) == ("docker-registry", 0o750)


@pytest.mark.parametrize(
    ("login", "status"),
    [("with password", 200), ("without password", 401), ("with wrong password", 401), ("without TLS", 400)],
)
def test_registry_wants_tls_and_a_password(fleet, hostname, login, status):
    assert fleet.web(hostname, f"registry {login}")["status"] == status


def test_metrics_are_for_the_host_alone(host, address):
    assert host.socket("tcp://127.0.0.1:5001").is_listening
    assert not host.socket(f"tcp://{address}:5001").is_listening
    assert "registry_http_in_flight_requests{" in host.check_output("curl -sf http://127.0.0.1:5001/metrics")

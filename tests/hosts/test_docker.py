"""Docker: the engine of every host that runs or builds containers."""

import json

import pytest

testinfra_hosts = ["app", "edge", "ops"]


def test_docker_is_installed(host):
    assert host.package("docker.io").is_installed


@pytest.mark.parametrize("service", ["docker", "nexus-docker-prune.timer"])
def test_service_runs(host, service):
    assert host.service(service).is_running
    assert host.service(service).is_enabled


def test_engine_is_for_root_and_its_group(host):
    socket = host.file("/run/docker.sock")
    assert socket.is_socket
    assert (socket.user, socket.group, socket.mode) == ("root", "docker", 0o660)


def test_engine_has_its_configuration(host, setting):
    config = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert config["data-root"] == setting.docker_data_root
    assert config["default-address-pools"] == setting.docker_address_pools
    assert config["live-restore"] is False  # a swarm refuses it


@pytest.mark.hosts("app")
def test_every_container_has_its_processor_time(host):
    metrics = host.check_output("curl -fsS -m 10 http://127.0.0.1:9256/metrics")
    containers = host.check_output("docker ps -q --filter label=nexus.service").split()
    assert [one for one in containers if f'cpu_seconds_total{{groupname="{one}"' not in metrics] == []


def test_bridge_has_its_address(host, setting):
    assert setting.docker_bridge_address.split("/")[0] in host.interface("docker0").addresses

"""Swarm: hosts of services are nodes of it, and an odd number of them manages it."""

import pytest

testinfra_hosts = ["app"]


def test_host_is_a_node(host):
    assert host.check_output("docker info --format '{{.Swarm.LocalNodeState}}'") == "active"


def test_nodes_reach_each_other(host, address):
    assert host.socket(f"tcp://{address}:7946").is_listening
    assert host.socket(f"udp://{address}:7946").is_listening


def test_containers_reach_their_host(host, env):
    assert env.gateway in host.interface("docker_gwbridge").addresses


def test_metrics_name_every_service(host, env):
    text = host.file("/var/lib/prometheus/node-exporter/swarm.prom").content_string
    wanted = {f'nexus_service_tasks_wanted{{service="{name}"}}' for name in env.catalogue.services}
    manages = host.check_output("docker info --format '{{.Swarm.ControlAvailable}}'") == "true"
    assert [one for one in wanted if manages and one not in text] == []


@pytest.mark.hosts("app[0]")
def test_first_host_manages(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.swarm_port}").is_listening


@pytest.mark.hosts("app[0]")
def test_every_node_is_ready(host, env, setting):
    nodes = {other.name for group in ("app", *setting.swarm_workers) for other in env.group(group)}
    status = host.check_output("docker node ls --format '{{.Status}}'").splitlines()
    assert status == ["Ready"] * len(nodes)


@pytest.mark.hosts("app[0]")
def test_managers_are_an_odd_number_with_one_leader(host):
    managers = host.check_output("docker node ls --filter role=manager --format '{{.ManagerStatus}}'").splitlines()
    assert len(managers) % 2 == 1
    assert managers.count("Leader") == 1

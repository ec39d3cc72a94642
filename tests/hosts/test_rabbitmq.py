"""RabbitMQ: a node of the cluster on every host of the group."""

import pytest

testinfra_hosts = ["rabbitmq"]


def test_rabbitmq_is_installed(host):
    assert host.package("rabbitmq-server").is_installed


@pytest.mark.parametrize("service", ["rabbitmq-server", "epmd.socket"])
def test_service_runs(host, service):
    assert host.service(service).is_running
    assert host.service(service).is_enabled


def test_broker_listens(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.rabbitmq_port}").is_listening


def test_management_is_for_the_host_alone(host, address, setting):
    assert host.socket(f"tcp://127.0.0.1:{setting.rabbitmq_management_port}").is_listening
    assert not host.socket(f"tcp://{address}:{setting.rabbitmq_management_port}").is_listening


def test_broker_takes_nothing_but_tls(host):
    assert host.file("/etc/rabbitmq/rabbitmq.conf").contains("^listeners.tcp = none$")


def test_broker_runs_as_rabbitmq(host):
    assert host.process.filter(user="rabbitmq", comm="beam.smp")
    assert not host.process.filter(user="root", comm="beam.smp")


def test_cookie_is_closed(host):
    cookie = host.file("/var/lib/rabbitmq/.erlang.cookie")
    assert (cookie.user, cookie.mode) == ("rabbitmq", 0o400)


def test_metrics_are_for_the_host_alone(host, address):
    assert host.socket("tcp://127.0.0.1:15692").is_listening
    assert not host.socket(f"tcp://{address}:15692").is_listening
    assert "rabbitmq_identity_info{" in host.check_output("curl -sf http://127.0.0.1:15692/metrics")

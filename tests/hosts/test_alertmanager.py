"""Alertmanager: it takes alerts from clients with a certificate of the platform, and from nobody else."""

from hosts.mutual_tls import REFUSED, get

testinfra_hosts = ["ops"]
UNIT = "prometheus-alertmanager"


def test_alertmanager_is_installed(host):
    assert host.package(UNIT).is_installed


def test_alertmanager_runs(host):
    assert host.service(UNIT).is_running
    assert host.service(UNIT).is_enabled


def test_alertmanager_is_on_the_address(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.alertmanager_port}").is_listening
    assert not host.socket(f"tcp://127.0.0.1:{setting.alertmanager_port}").is_listening


def test_members_reach_each_other(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.alertmanager_cluster_port}").is_listening
    assert not host.socket(f"tcp://127.0.0.1:{setting.alertmanager_cluster_port}").is_listening


def test_clients_need_a_certificate(host, address, setting):
    assert get(host, address, setting.alertmanager_port, "/-/ready", certificate=False) == REFUSED


def test_clients_with_a_certificate_are_answered(host, address, setting):
    assert get(host, address, setting.alertmanager_port, "/-/ready") == "200"


def test_clients_need_tls(host, address, setting):
    url = f"http://{address}:{setting.alertmanager_port}/-/ready"
    assert host.run("curl -s -o /dev/null -w %%{http_code} -m 10 %s", url).stdout == "400"


def test_addresses_of_receivers_are_closed(host):
    file = host.file("/etc/prometheus/alertmanager.yml")
    assert (file.user, file.group, file.mode) == ("root", "prometheus", 0o640)


def test_configuration_is_valid(host):
    assert host.run("amtool check-config /etc/prometheus/alertmanager.yml").rc == 0

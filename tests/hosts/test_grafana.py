"""Grafana: on loopback, with the dashboards of the plan, where an environment switches it on."""

import pytest

testinfra_hosts = ["ops"]


@pytest.fixture(autouse=True)
def switched_on(setting):
    if not setting.grafana_enabled:
        pytest.skip("grafana_enabled is off")


def test_grafana_runs(host):
    assert host.package("grafana").is_installed
    assert host.service("grafana-server").is_running
    assert host.service("grafana-server").is_enabled


def test_grafana_listens_on_loopback(host, setting):
    assert host.socket(f"tcp://127.0.0.1:{setting.grafana_port}").is_listening
    assert not host.socket(f"tcp://0.0.0.0:{setting.grafana_port}").is_listening


def test_its_password_is_closed(host):
    file = host.file("/etc/grafana/admin-password")
    assert (file.user, file.group, file.mode) == ("grafana", "grafana", 0o400)


def test_it_answers_with_its_dashboards(host, setting):
    where = f"http://127.0.0.1:{setting.grafana_port}"
    login = '"admin:$(cat /etc/grafana/admin-password)"'
    found = host.run(f"curl -fsS -u {login} '{where}/api/search?tag=nexus-cos'")
    assert found.succeeded
    assert "nexus-overview" in found.stdout

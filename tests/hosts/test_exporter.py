"""Exporters: each host's metrics, behind one port that only Prometheus may read."""

import pytest

from hosts.mutual_tls import REFUSED, get
from roles.exporter.plan import exporters

testinfra_hosts = ["all"]
RELAY = "prometheus-exporter-exporter"


def test_exporters_run(host, env, hostname):
    units = [exporter.package for exporter in exporters(env, env.host(hostname)) if exporter.package]
    assert "prometheus-node-exporter" in units
    assert [unit for unit in [*units, RELAY] if not host.service(unit).is_running] == []
    assert [unit for unit in [*units, RELAY] if not host.service(unit).is_enabled] == []


def test_metrics_are_on_the_address(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.exporter_port}").is_listening
    assert not host.socket(f"tcp://127.0.0.1:{setting.exporter_port}").is_listening


def test_exporters_are_for_the_host_alone(host, env, hostname, address):
    ports = [exporter.port for exporter in exporters(env, env.host(hostname)) if exporter.package]
    assert ports
    assert [port for port in ports if not host.socket(f"tcp://127.0.0.1:{port}").is_listening] == []
    assert [port for port in ports if host.socket(f"tcp://{address}:{port}").is_listening] == []


def test_clients_need_a_certificate(host, address, setting):
    assert get(host, address, setting.exporter_port, "/proxy?module=node", certificate=False) == REFUSED


def test_clients_need_tls(host, address, setting):
    url = f"http://{address}:{setting.exporter_port}/proxy?module=node"
    assert host.run("curl -s -o /dev/null -w %%{http_code} -m 10 %s", url).stdout == "400"


def test_only_ops_hosts_read_metrics(host, env, hostname, address, setting):
    """Each host asks itself with its own certificate."""
    reader = hostname in [one.name for one in env.group("ops")]
    assert get(host, address, setting.exporter_port, "/proxy?module=node") == ("200" if reader else REFUSED)


@pytest.mark.hosts("ops")
def test_ops_hosts_read_metrics_of_all(host, env):
    found = {
        f"{other.name} {exporter.job}": get(
            host, other.address, other.setting.exporter_port, f"/proxy?module={exporter.job}"
        )
        for other in env.hosts
        for exporter in exporters(env, other)
        if not exporter.queries
    }
    assert found
    assert {name: status for name, status in found.items() if status != "200"} == {}

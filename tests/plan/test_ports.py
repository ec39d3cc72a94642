"""Ports that two of the platform's programs would need on one host."""

from __future__ import annotations

from nexus.catalogue import load
from nexus.catalogue.size import GIB
from roles.service import capacity
from roles.service.machine import Machine

EVERYTHING = frozenset({"all", "edge", "app", "data", "ops", "postgresql", "redis", "rabbitmq", "mongodb", "storage"})


def test_platform_on_one_host_has_no_collision():
    assert list(capacity.port_findings(load(), {}, [Machine("box1", EVERYTHING, 2, GIB)])) == []


def test_port_wanted_twice_on_one_host():
    hosts = [Machine("ops1", frozenset({"ops"}), 2, GIB), Machine("edge1", frozenset({"edge"}), 2, GIB)]
    (finding,) = capacity.port_findings(load(), {"registry_port": 9090, "router_port": 9090}, hosts)
    assert (finding.severity, finding.where) == ("error", "ops1")
    assert "registry and prometheus both use port 9090; set prometheus_port" in finding.message


def test_ports_of_services_do_not_count():
    # grafana's 3000 is also the port of backend-api, which is not published
    ports = {entry.name: entry.port for entry in load().operations.ports}
    assert load().service("backend-api").port == ports["grafana"] == 3000
    assert list(capacity.port_findings(load(), {}, [Machine("box1", EVERYTHING, 2, GIB)])) == []

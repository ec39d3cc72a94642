"""Router: HAProxy in a container of every edge host, closed to other hosts."""

import pytest

from roles.service.stack import NAME as STACK

testinfra_hosts = ["edge"]


def test_router_runs(host):
    assert host.docker.get_containers(name=f"{STACK}_router", status="running", health="healthy")


@pytest.mark.parametrize("port", ["router_port", "router_metrics_port"])
def test_router_listens(host, setting, port):
    assert host.socket(f"tcp://0.0.0.0:{setting[port]}").is_listening


def test_router_has_its_configuration(host, setting):
    assert host.file("/etc/nexus-cos/router/haproxy.cfg").contains(f"^ *bind .*:{setting.router_port}")


def test_router_has_figures_of_every_service(host, env, setting):
    url = f"http://127.0.0.1:{setting.router_metrics_port}/metrics?scope=backend&metrics=haproxy_backend_active_servers"
    text = host.check_output(f"curl -fsS -m 5 '{url}'")
    assert [name for name in env.catalogue.services if f'{{proxy="{name}"}}' not in text] == []

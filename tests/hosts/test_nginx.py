"""Nginx: the edge, where clients come in."""

import json

import pytest

testinfra_hosts = ["edge"]


def test_nginx_is_installed(host):
    assert host.package("nginx").is_installed


def test_nginx_runs(host):
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled


@pytest.mark.parametrize("port", ["nginx_https_port", "nginx_http_port"])
def test_nginx_listens(host, setting, port):
    assert setting.nginx_listen_addresses
    for listen in setting.nginx_listen_addresses:
        assert host.socket(f"tcp://{listen.strip('[]')}:{setting[port]}").is_listening


def test_status_is_for_the_host_alone(host, address, setting):
    assert host.socket(f"tcp://127.0.0.1:{setting.nginx_status_port}").is_listening
    assert not host.socket(f"tcp://{address}:{setting.nginx_status_port}").is_listening


@pytest.mark.parametrize(
    ("port", "metric"),
    [(9113, "nginx_up 1"), (3903, "nginx_login_failures_total"), (3903, "nginx_tokens_issued_total")],
)
def test_metrics_are_for_the_host_alone(host, address, port, metric):
    assert host.socket(f"tcp://127.0.0.1:{port}").is_listening
    assert not host.socket(f"tcp://{address}:{port}").is_listening
    assert metric in host.check_output(f"curl -fsS -m 5 http://127.0.0.1:{port}/metrics")


def test_configuration_is_valid(host):
    assert host.run("nginx -t -q").succeeded


def test_workers_are_not_root(host, setting):
    assert host.process.filter(user=setting.nginx_user, comm="nginx")


def test_api_keys_are_closed(host):
    file = host.file("/etc/nginx/nexus-cos/key.conf")
    assert (file.user, file.mode) == ("root", 0o640)


def test_edge_answers(host, env):
    name, port = f"api.{env.setting.domain}", env.setting.nginx_https_port
    url = f"https://{name}:{port}{env.catalogue.gateway.edge.health_path}"
    # -k: test_edge.py verifies the certificate
    said = host.check_output(f"curl -sSk -m 5 --resolve {name}:{port}:127.0.0.1 {url}")
    assert json.loads(said) == {"status": "ok"}

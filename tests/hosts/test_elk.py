"""Elasticsearch, Kibana and Filebeat: on loopback, with what the plan tells them, where an environment wants them."""

import json

import pytest

from roles.elk.host import kibana, state

testinfra_hosts = ["ops[0]"]


@pytest.fixture
def switched_on(setting):
    if not setting.elk_enabled:
        pytest.skip("elk_enabled is off")


@pytest.mark.parametrize("name", ["elasticsearch", "kibana", "filebeat"])
def test_its_programs_run(host, switched_on, name):
    assert host.package(name).is_installed
    assert host.service(name).is_running
    assert host.service(name).is_enabled


@pytest.mark.parametrize("name", ["elasticsearch", "kibana"])
def test_they_listen_on_loopback(host, switched_on, setting, name):
    port = setting[f"{name}_port"]
    assert host.socket(f"tcp://127.0.0.1:{port}").is_listening
    assert not host.socket(f"tcp://0.0.0.0:{port}").is_listening


def test_passwords_are_closed(host, switched_on):
    users = host.file("/etc/elasticsearch/users")
    assert (users.user, users.group, users.mode) == ("root", "elasticsearch", 0o640)
    for path in ("/etc/kibana/nexus-cos.env", "/etc/filebeat/nexus-cos.env"):
        assert (host.file(path).user, host.file(path).mode) == ("root", 0o400)


def test_nobody_is_let_in_without_a_password(host, switched_on, setting):
    url = f"https://127.0.0.1:{setting.elasticsearch_port}/_search"
    status = "curl -s -o /dev/null -w '%{http_code}' --cacert /etc/nexus-cos/tls/ca.pem"
    assert host.check_output(f"{status} {url}") == "401"


def test_lines_arrive(fleet, switched_on, hostname):
    found = fleet.web(hostname, "elasticsearch lines")
    assert found["status"] == 200, found["body"]
    assert json.loads(found["body"])["count"] > 0


@pytest.mark.planned("elasticsearch")
def test_elasticsearch_has_what_is_planned(fleet, item):
    wanted, answer = fleet.want(item), fleet.web(item.host, f"elasticsearch {item.name}")
    assert answer["status"] == 200, f"{item.host}: {item.name}: {answer['status']} {answer['body']}"
    assert state.contains(state.content(item.name, json.loads(answer["body"])), wanted)


@pytest.mark.planned("kibana")
def test_kibana_has_what_is_planned(fleet, item):
    wanted, answer = fleet.want(item), fleet.web(item.host, f"kibana {item.name}")
    assert answer["status"] == 200, f"{item.host}: {item.name}: {answer['status']} {answer['body']}"
    assert kibana.mark(json.loads(answer["body"])) == wanted["plan"]

"""Public certificate: every edge host shows it, takes it from ops hosts alone, and keeps its key to itself."""

import pytest

from hosts.item import Item
from hosts.mutual_tls import REFUSED, get
from nexus.environment.environment import Environment
from roles.acme.host.places import CONFIG, RECORD
from roles.acme.settings import enabled
from roles.certificate.host.public import CERTIFICATE, CURRENT, KEY


@pytest.fixture(autouse=True)
def _on(env: Environment):
    if not enabled(env):
        pytest.skip("acme_directories is empty")


@pytest.mark.hosts("ops")
def test_the_program_runs(host):
    assert host.package("python3-acme").is_installed
    assert host.service("nexus-acme.timer").is_running
    assert not host.run("systemctl is-failed nexus-acme.service").stdout.startswith("failed")


@pytest.mark.hosts("ops")
@pytest.mark.parametrize("path", [CONFIG, RECORD])
def test_keys_on_ops_hosts_are_closed(host, path):
    file = host.file(path)
    assert (file.user, file.mode) == ("root", 0o600)


@pytest.mark.hosts("edge")
def test_keys_on_edge_hosts_are_closed(host):
    assert host.check_output(f"stat -Lc '%U %a' {KEY}") == "root 600"


@pytest.mark.hosts("edge")
def test_ops_hosts_deliver_over_mutual_tls(host, address, setting):
    assert host.service("nexus-acme-edge.socket").is_running
    assert host.socket(f"tcp://{address}:{setting.acme_port}").is_listening
    assert get(host, address, setting.acme_port, "/", certificate=False) == REFUSED


@pytest.mark.planned("public certificate")
def test_every_edge_host_shows_the_certificate(fleet, item: Item, env: Environment):
    host = fleet.machine(item.host)
    ask = "openssl s_client -connect {}:{} -servername {} </dev/null 2>/dev/null | openssl x509 -noout -serial"
    shown = {
        host.check_output(ask.format(each.address, env.setting.nginx_https_port, env.setting.domain))
        for each in env.group("edge")
    }
    assert len(shown) == 1
    assert shown.pop().startswith("serial=")


@pytest.mark.planned("first certificate")
def test_nginx_has_a_certificate(fleet, item: Item):
    host = fleet.machine(item.host)
    assert host.file(CURRENT).is_symlink
    assert host.file(CERTIFICATE).exists

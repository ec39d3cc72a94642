"""Log store: it takes lines from hosts with a certificate of the platform, and from nobody else."""

import pytest

from hosts.mutual_tls import REFUSED, get

testinfra_hosts = ["ops[0]"]
UNITS = ("systemd-journal-remote", "nexus-log-store-tls")
RECEIVER = "/run/nexus-log-store.sock"


@pytest.mark.parametrize("package", ["systemd-journal-remote", "stunnel4", "zstd"])
def test_log_store_is_installed(host, package):
    assert host.package(package).is_installed


@pytest.mark.parametrize("unit", UNITS)
def test_log_store_runs(host, unit):
    assert host.service(unit).is_running


def test_log_store_is_on_the_address(host, address, setting):
    assert host.socket(f"tcp://{address}:{setting.log_store_port}").is_listening
    assert not host.socket(f"tcp://127.0.0.1:{setting.log_store_port}").is_listening


def test_clients_need_a_certificate(host, address, setting):
    assert get(host, address, setting.log_store_port, "/upload", certificate=False) == REFUSED


def test_clients_with_a_certificate_are_answered(host, address, setting):
    assert get(host, address, setting.log_store_port, "/upload") == "406"  # lines are posted


def test_the_receiver_is_for_its_account_alone(host):
    socket = host.file(RECEIVER)
    assert (socket.is_socket, socket.user, socket.mode) == (True, "systemd-journal-remote", 0o600)


def test_keys_of_the_archive_are_closed(host):
    file = host.file("/etc/nexus-cos/log-store.json")
    assert (file.user, file.mode) == ("root", 0o600)


def test_old_journals_are_packed(host):
    assert host.service("nexus-log-pack.timer").is_running
    assert not host.run("systemctl is-failed nexus-log-pack.service").stdout.startswith("failed")


def test_the_size_is_kept(host, setting):
    used = int(host.check_output("du -sB1 /var/log/journal/remote").split()[0])
    assert 0 < used <= setting.log_store_megabytes_max * 1.05e6

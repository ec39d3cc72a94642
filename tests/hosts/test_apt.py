"""apt: packages change by themselves only where the setting says so, and never those whose daemons restart in order."""

import json
import re

import pytest

from hosts.item import Item

testinfra_hosts = ["all"]
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
METRICS = "/var/lib/prometheus/node-exporter/updates.prom"


@pytest.fixture
def config(host):
    return host.check_output("apt-config dump")


@pytest.mark.planned("update")
def test_no_update_was_left_unfinished(fleet, item: Item):
    record = fleet.machine(item.host).run("cat /var/lib/nexus-cos/update.json").stdout
    assert json.loads(record or "{}").get("step", "done") in ("done", "waits")


@pytest.mark.parametrize("timer", TIMERS)
def test_timers_run_only_if_the_setting_is_on(host, setting, timer):
    assert host.service(timer).is_running == setting.apt_security_updates
    assert host.service(timer).is_enabled == setting.apt_security_updates


def test_no_host_reboots_by_itself(config):
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in config


def test_only_security_updates_are_taken(config):
    origins = re.findall(r'^Unattended-Upgrade::(?:Origins-Pattern|Allowed-Origins):: "(.*)";$', config, re.MULTILINE)
    assert origins
    assert all("label=Debian-Security" in origin for origin in origins)


def test_daemons_of_this_host_are_left_out(host, config):
    patterns = re.findall(r'^Unattended-Upgrade::Package-Blacklist:: "(.*)";$', config, re.MULTILINE)
    packages = [
        "patroni",
        "etcd-server",
        "redis-server",
        "rabbitmq-server",
        "haproxy",
        "pgbouncer",
        "docker.io",
        "nginx",
    ]
    taken = [name for name in packages if not any(re.match(pattern, name) for pattern in patterns)]
    assert patterns
    assert [name for name in taken if host.package(name).is_installed] == []


def test_needrestart_restarts_nothing(host):
    assert host.file("/etc/needrestart/conf.d/50-nexus-cos.conf").contains(r"^\$nrconf{restart} = 'l';$")


def test_pending_updates_are_metrics(host):
    assert host.service("nexus-metrics-updates.timer").is_running
    assert host.file(METRICS).contains("^nexus_pending_updates{")
    assert host.file(METRICS).contains("^nexus_package_lists_timestamp_seconds")

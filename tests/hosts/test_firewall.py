"""Firewall: its table is in force where it is enabled, and absent where it is not."""

import pytest

from hosts.item import Item
from nexus.environment.environment import Environment

testinfra_hosts = ["all"]
TABLE = "table inet nexus"


@pytest.mark.planned("firewall")
def test_the_table_is_there_if_it_is_enabled(fleet, item: Item, env: Environment):
    host = fleet.machine(item.host)
    tables = host.run("command -v nft >/dev/null && nft list tables").stdout.splitlines()
    assert (TABLE in tables) == env.host(item.host).setting.firewall_enabled


def test_what_is_not_accepted_is_dropped(host, setting):
    if not setting.firewall_enabled:
        pytest.skip("firewall_enabled is off")
    assert "hook input priority filter + 10; policy drop;" in host.check_output("nft list chain inet nexus input")
    assert host.service("nexus-firewall").is_enabled


def test_no_rules_are_on_trial(host):
    assert not host.service("nexus-firewall-revert.timer").is_running

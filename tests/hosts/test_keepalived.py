"""Keepalived: one edge host has the address that all share, and answers there."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from roles.keepalived.plan import CHECK, shared_address

testinfra_hosts = ["edge"]


@pytest.fixture(autouse=True)
def only_where_an_address_is_shared(env):
    if not shared_address(env):
        pytest.skip("edge hosts share no address: keepalived_address")


def test_keepalived_runs(host):
    assert host.package("keepalived").is_installed
    assert host.service("keepalived").is_running
    assert host.service("keepalived").is_enabled


def test_the_check_finds_nginx(host):
    assert host.run(CHECK).succeeded


def test_one_host_has_the_address(fleet: Fleet, env):
    shared = shared_address(env)
    assert shared
    asked = "ip -4 -o address show"
    holders = [
        each.name for each in env.group("edge") if f" {shared.ip}/" in fleet.machine(each.name).check_output(asked)
    ]
    assert len(holders) == 1, f"{shared.ip} is held by {' and '.join(holders) or 'nobody'}"

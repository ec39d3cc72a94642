"""Security groups: rules follow the flows of roles, and edits by hand are undone by few calls, SSH open throughout."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from nexus.error import OperatorError
from nexus.provider.aws.security_group import IN, OUT, classes, rules
from nexus.run.flow import CONTAINERS, OPERATORS, SELF, WORLD, matrix
from roles.table import ROLES
from tests.plan.aws_cloud import HOSTS, SETTINGS, Account
from tests.plan.aws_edits import IDS, LEAVING, PLANNED, edited, known, moments, passes_ssh, repair
from tests.plan.aws_worlds import SMALL, damage
from tests.plan.environments import environment

EDITS = 200


@pytest.mark.parametrize("seed", range(EDITS))
def test_edits_are_undone(seed: int) -> None:
    there = edited(random.Random(seed))
    calls = repair(there)
    was_open = False
    for state in moments(there, calls):
        now = passes_ssh(state[IN])
        assert now or not was_open, "SSH was closed for a moment"
        was_open = now
    assert {way: set(found.values()) for way, found in state.items()} == {
        IN: set(known(PLANNED)),
        OUT: set(known(LEAVING)),
    }
    planned = {IN: known(PLANNED), OUT: known(LEAVING)}
    needed = 0
    for way, found in there.items():
        keys, wanted = {rule.key(IDS): rule for rule in found}, {rule.key(IDS): rule for rule in planned[way]}
        needed += bool(wanted.keys() - keys.keys()) + bool(keys.keys() - wanted.keys())
        needed += any(keys[key].why != wanted[key].why for key in keys.keys() & wanted.keys())
    assert len(calls) == needed


def test_edits_are_undone_in_the_cloud(account: Account) -> None:
    env = account.environment(SMALL)
    account.provision(env)
    planned = account.state(env)
    for seed in range(2):
        damage(account, env, random.Random(seed), harms=("_open", "_close"))
        assert account.provision(env) > 0
        assert account.state(env) == planned


def test_every_flow_has_its_rule(tmp_path: Path) -> None:
    env = environment(tmp_path, HOSTS, **SETTINGS, firewall_operator_networks=["203.0.113.0/24", "10.0.0.0/16"])
    flows = matrix(env, ROLES)
    of = classes(env, flows)
    found = {ref.name: item.facts[IN] for ref, item in rules(env, flows, of).items()}
    group = {host: f"security group {name}" for name, hosts in of.items() for host in hosts}
    always = {WORLD: {"0.0.0.0/0"}, OPERATORS: {"203.0.113.0/24"}, CONTAINERS: {group["app1"]}}
    for entry in flows:
        for name in of:
            if entry.flow.source != SELF and set(entry.targets) & set(of[name]):
                port = entry.flow.protocol, entry.flow.port
                others = {str(rule.other) for rule in found[name] if (rule.protocol, rule.first) == port}
                assert others >= ({group[host] for host in entry.sources} | always.get(entry.flow.source, set()))
    ports = {(entry.flow.protocol, entry.flow.port) for entry in flows}
    added = [rule for each in found.values() for rule in each]
    assert added
    assert all((rule.protocol, rule.first) in ports and rule.first == rule.last for rule in added)


def test_a_host_has_one_group(tmp_path: Path) -> None:
    env = environment(tmp_path, {**HOSTS, "app4": "app", "ops2": "ops"}, **SETTINGS)
    of = classes(env, matrix(env, ROLES))
    assert sorted(name for hosts in of.values() for name in hosts) == sorted(host.name for host in env.hosts)
    assert of["app"] == ("app1", "app2", "app3")
    assert of["app-app4"] == ("app4",)  # not a manager of the swarm
    assert {"ops", "ops-ops2"} <= set(of)


def test_too_many_rules_are_refused(tmp_path: Path) -> None:
    more = [{"from": [f"203.0.113.{number}"], "to": "app", "port": 9100, "why": "them"} for number in range(60)]
    env = environment(tmp_path, HOSTS, **SETTINGS, firewall_allow=more)
    flows = matrix(env, ROLES)
    with pytest.raises(OperatorError, match=r"security group app needs \d+ rules of ingress, and AWS allows 60"):
        rules(env, flows, classes(env, flows))


def test_what_leaves_is_stated(tmp_path: Path) -> None:
    env = environment(tmp_path, HOSTS, **SETTINGS)
    flows = matrix(env, ROLES)
    for item in rules(env, flows, classes(env, flows)).values():
        assert {rule.words(OUT) for rule in item.facts[OUT]} == {
            "everything to 10.0.0.0/16", "tcp 80 to 0.0.0.0/0", "tcp 443 to 0.0.0.0/0", "udp 123 to 0.0.0.0/0",
        }  # fmt: skip

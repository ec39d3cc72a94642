"""Rules of the firewall: what roles declare arrives, from whom they say, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Change
from roles.firewall import trial
from roles.firewall.host.state import united
from roles.firewall.plan import plan
from roles.firewall.rules import rules
from tests.plan.environments import environment


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return environment(tmp_path)


def text(env: Environment, name: str) -> str:
    [state] = plan(env, env.host(name)).states
    assert state.payload
    return str(state.payload["text"])


def sources(env: Environment, name: str, port: int, protocol: str = "tcp") -> list[str]:
    found = re.compile(rf"^ +(.*?){protocol} dport {port} accept", re.MULTILINE)
    return found.findall(text(env, name))


def test_switched_off_no_rule_is_planned(tmp_path: Path) -> None:
    env = environment(tmp_path, firewall_enabled=False)
    found = plan(env, env.host("app1"))
    assert (found.files, found.units, found.packages) == ((), (), ())
    assert [dict(state.items) for state in found.states] == [{"firewall": {"rules": "none"}}]


def test_clients_reach_the_edge_alone(env: Environment) -> None:
    assert sources(env, "edge1", 443) == [""]
    assert sources(env, "app1", 443) == []


def test_a_store_is_reached_by_those_that_its_role_names(env: Environment) -> None:
    [found] = sources(env, "data1", 5432)
    assert env.host("app1").address in found
    assert env.host("edge1").address not in found
    assert "containers" not in found


def test_containers_reach_the_proxy_of_their_host(env: Environment) -> None:
    assert "iifname @containers " in sources(env, "app1", 5432)


def test_what_a_host_asks_itself_needs_no_rule(env: Environment) -> None:
    assert sources(env, "ops1", 9090) == []


def test_the_overlay_network_is_for_nodes_alone(env: Environment) -> None:
    [found] = sources(env, "app1", 4789, "udp")
    assert env.host("edge1").address in found
    assert env.host("data1").address not in found


def test_only_operators_reach_ssh_where_they_are_named(tmp_path: Path) -> None:
    env = environment(tmp_path, firewall_operator_networks=["203.0.113.0/24", "2001:db8::/32"])
    assert sources(env, "app1", 22) == ["ip saddr { 203.0.113.0/24 } ", "ip6 saddr { 2001:db8::/32 } "]


def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path, firewall_operator_networks=["203.0.113.7/24"])
    with pytest.raises(OperatorError, match=r'has "203.0.113.7/24": .*host bits.* Write networks such as'):
        plan(env, env.host("app1"))


def test_more_is_allowed_by_a_setting(tmp_path: Path) -> None:
    more = {"from": ["203.0.113.9", "2001:db8::9"], "to": "postgresql", "port": 5432, "why": "reports"}
    other = {"from": ["203.0.113.0/24"], "to": "edge1", "port": 9999, "protocol": "udp", "why": "time"}
    env = environment(tmp_path, firewall_allow=[more, other])
    found = "".join(sources(env, "data1", 5432))
    assert "203.0.113.9" in found
    assert env.host("app1").address in found
    assert "ip6 saddr { 2001:db8::9 } " in found
    assert sources(env, "edge1", 9999, "udp") == ["ip saddr { 203.0.113.0/24 } "]
    assert sources(env, "app1", 9999, "udp") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": "dat"}, r'goes to "dat", and there are all, app, app1'),
        ({"port": "5432"}, r"has port '5432', and a port is a number"),
        ({"protocol": "icmp"}, r'has protocol "icmp", and there are tcp and udp'),
        ({"from": "203.0.113.9"}, r'needs "from" as a list of networks'),
        ({"from": ["203.0.113.9/24"]}, r'firewall_allow has "203.0.113.9/24": .*host bits'),
        ({"form": []}, r"has form, which it does not know"),
        ({"why": None}, r"says nothing about why"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    entry = {"from": ["203.0.113.9"], "to": "postgresql", "port": 5432, "why": "reports", **change}
    env = environment(tmp_path, firewall_allow=[{key: value for key, value in entry.items() if value is not None}])
    with pytest.raises(OperatorError, match=said):
        plan(env, env.host("app1"))


def test_published_ports_are_closed_by_the_port_that_the_client_named(env: Environment) -> None:
    forward = text(env, "edge1").partition("chain forward")[2]
    assert "ct original proto-dst 443 accept" in forward
    assert "ct original proto-dst 8088 " not in forward  # Nginx on the same host reaches the router
    assert forward.rindex("ct status dnat drop") > forward.rindex("accept")


def test_former_rules_stay_until_the_end(env: Environment, tmp_path: Path) -> None:
    former, now = text(env, "data1"), text(env, "edge1")
    both = united(now, former)
    chains = {name: both.partition(f"chain {name} {{")[2].partition("    }\n")[0] for name in ("input", "forward")}
    for name, lines in chains.items():
        for one in (former, now):
            own = one.partition(f"chain {name} {{")[2].partition("    }\n")[0]
            assert set(own.splitlines()) <= set(lines.splitlines())
    assert chains["forward"].rstrip().endswith("ct status dnat drop")
    assert all(line.index("reject") > line.rindex("accept") for line in chains.values())
    assert united(now, both) == both
    assert united(now, "") == united(now, now) == now


def test_each_rule_says_why(env: Environment) -> None:
    found = rules(env, env.host("data1"))
    assert found
    assert all(": " in rule.why for rule in found)


@pytest.mark.skipif(not shutil.which("nft") or not shutil.which("unshare"), reason="nftables is not installed")
@pytest.mark.parametrize("name", ["edge1", "app1", "data1", "ops1"])
@pytest.mark.parametrize("former", ["", "data1"])
def test_the_kernel_takes_the_rules(env: Environment, tmp_path: Path, name: str, former: str) -> None:
    path = tmp_path / "rules.nft"
    path.write_text(united(text(env, name), text(env, former) if former else ""))
    check = ["unshare", "--user", "--map-root-user", "--net", "nft", "-f", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=60)
    if "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("this machine allows no network namespaces")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changed", "what", "asked"),
    [
        ([True], "firewall", True),
        ([False], "firewall", False),  # the rules were opened and confirmed before, and are as planned
        ([], "firewall", False),
        ([False, True], "firewall", True),
        ([True], "/etc/systemd/system/nexus-firewall.service", False),
    ],
)
def test_hosts_are_asked_again_only_after_a_trial(
    monkeypatch: pytest.MonkeyPatch, changed: list[bool], what: str, asked: bool
) -> None:
    outcome = SimpleNamespace(changes={"app1": [Change(what, "differs")]})
    monkeypatch.setattr(trial, "executing", lambda: True)
    monkeypatch.setattr(trial, "current_run", lambda: SimpleNamespace(outcome=outcome))
    monkeypatch.setattr(trial, "host", SimpleNamespace(name="app1"))
    operations = [SimpleNamespace(did_change=lambda one=one: one) for one in changed]
    commands = list(trial._confirm._inner(operations))
    assert bool(commands) is asked

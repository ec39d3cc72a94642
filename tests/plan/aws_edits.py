"""Random edits of a security group's rules by hand, and AWS's own answer to calls that change them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from nexus.provider.aws.model import Call, Found, Item, Ref, World, resolved
from nexus.provider.aws.rule import Rule, flatten
from nexus.provider.aws.security_group import IN, OUT, RULES_KIND

RULES, GROUP = Ref("rules", "data"), Ref("security group", "data")
OTHER = Ref("security group", "app")
IDS = {GROUP: "sg-data0000", OTHER: "sg-app00000"}
SSH = Rule("tcp", 22, 22, "203.0.113.0/24", "base: runs, over SSH")
PLANNED = (
    SSH,
    Rule("tcp", 2379, 2379, GROUP, "etcd: members join"),
    Rule("tcp", 5432, 5432, OTHER, "postgresql: the proxy"),
    Rule("tcp", 6379, 6379, OTHER, "redis: the proxy"),
    Rule("udp", 4789, 4789, OTHER, "swarm: overlay"),
)
LEAVING = (
    Rule("-1", -1, -1, "10.0.0.0/16", "hosts of this environment"),
    Rule("tcp", 443, 443, "0.0.0.0/0", "packages"),
)
ITEM = Item(RULES, {IN: PLANNED, OUT: LEAVING})


def known(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rules as AWS has them: with ids."""
    ids = {str(ref): identity for ref, identity in IDS.items()}
    return tuple(replace(rule, other=ids.get(str(rule.other), rule.other)) for rule in rules)


def edited(rng: random.Random) -> dict[str, tuple[Rule, ...]]:
    """The planned rules after a few edits."""
    found = {IN: list(known(PLANNED)), OUT: list(known(LEAVING))}
    for _ in range(rng.randint(1, 4)):
        rules = found[rng.choice([IN, IN, OUT])]
        edit = rng.choice(["add", "remove", "describe", "widen"])
        at = rng.randrange(len(rules)) if rules else 0
        if edit == "add" or not rules:
            port = rng.randint(1000, 60000)
            rules.append(Rule("tcp", port, port + rng.choice([0, 10]), "198.51.100.0/24", rng.choice(["", "mine"])))
        elif edit == "remove":
            del rules[at]
        elif edit == "describe":
            rules[at] = replace(rules[at], why="changed by hand")
        elif rules[at].protocol != "-1":
            rules[at] = replace(rules[at], first=rules[at].first - rng.randint(1, 5), last=rules[at].last + 3)
    return {way: tuple({rule.key(IDS): rule for rule in rules}.values()) for way, rules in found.items()}


def repair(there: dict[str, tuple[Rule, ...]]) -> list[Call]:
    """The calls of a run that finds these rules."""
    world = World({ref: Found(ref, identity, {}) for ref, identity in IDS.items()})
    return list(RULES_KIND.change(ITEM, Found(RULES, IDS[GROUP], there), world))


def moments(there: dict[str, tuple[Rule, ...]], calls: list[Call]) -> Iterator[dict[str, dict[tuple, Rule]]]:
    """The rules at first, and after each call; AssertionError for a call that AWS refuses."""
    state = {way: {rule.key(IDS): rule for rule in rules} for way, rules in there.items()}
    yield state
    for call in calls:
        parameters = resolved(call.parameters, IDS)
        assert parameters["GroupId"] == IDS[GROUP]
        rules = state[IN if call.operation.endswith("ingress") else OUT]
        for rule in flatten(parameters["IpPermissions"]):
            assert (rule.key(IDS) in rules) != call.operation.startswith("authorize"), f"AWS refuses {call.words}"
            if call.operation.startswith("revoke"):
                del rules[rule.key(IDS)]
            else:
                rules[rule.key(IDS)] = rule
        yield state


def passes_ssh(rules: dict[tuple, Rule]) -> bool:
    """Whether the controller reaches port 22."""
    return any(
        rule.protocol in ("tcp", "-1") and rule.first <= 22 <= rule.last and rule.other in (SSH.other, "0.0.0.0/0")
        for rule in rules.values()
    )

"""Security groups: one for all hosts that take part in the same flows, with rules that refer to other groups.

AWS lets an interface have five groups, and a host of all stores is in more groups of the inventory: so a security group
is a class of hosts, not a group of the inventory.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.provider.aws.kind import IN_VPC, VPC, Kind, Question, no_change, removal
from nexus.provider.aws.model import Call, Found, Item, Ref, World, specification, tags_of
from nexus.provider.aws.rule import Rule, egress, flatten, ingress, permissions
from nexus.run.flow import Entry

RULES_MAX = 60  # AWS's own limit of rules in one direction of a group
IN, OUT = "ingress", "egress"


def classes(env: Environment, matrix: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """Return {class: names of its hosts}: hosts that are sources and targets of the same flows.

    A class has the name of its groups of the inventory; where several have the same, all but the first add the name of
    their first host.
    """
    parts: dict[tuple[frozenset[str], frozenset[int], frozenset[int]], list[str]] = defaultdict(list)
    for host in env.hosts:
        sources = frozenset(number for number, entry in enumerate(matrix) if host.name in entry.sources)
        targets = frozenset(number for number, entry in enumerate(matrix) if host.name in entry.targets)
        parts[host.groups - {"all", env.name}, sources, targets].append(host.name)
    found: dict[str, tuple[str, ...]] = {}
    for (groups, _, _), names in parts.items():
        name = "-".join(sorted(groups)) or "host"
        found[name if name not in found else f"{name}-{names[0]}"] = tuple(names)
    return found


def group(name: str) -> Ref:
    """Return the security group of a class."""
    return Ref("security group", name)


def rules(env: Environment, matrix: Sequence[Entry], found: Mapping[str, tuple[str, ...]]) -> dict[Ref, Item]:
    """Return the planned rules of every class; OperatorError where AWS allows fewer."""
    items = {}
    for name in found:
        facts = {IN: ingress(env, matrix, found, name), OUT: egress(env)}
        for direction, planned in facts.items():
            if len(planned) > RULES_MAX:
                raise OperatorError(
                    f"{group(name)} needs {len(planned)} rules of {direction}, and AWS allows {RULES_MAX}: spread its "
                    "stores over more hosts, or shorten firewall_allow and aws_egress"
                )
        ref = Ref("rules", name)
        items[ref] = Item(ref, facts)
    return items


def _create(item: Item, world: World) -> Iterator[Call]:
    parameters = {
        "GroupName": item.facts["name"],
        "Description": f"Nexus COS: {', '.join(item.facts['hosts'])}"[:255],
        "VpcId": VPC,
        "TagSpecifications": specification("security-group", item.tags),
    }
    yield Call("ec2", "create_security_group", parameters, f"Create {item.ref}", item.ref, ("GroupId",))


def _found(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["SecurityGroups"]:
        if each["GroupName"] == "default":
            continue  # each VPC has one by itself
        facts = {IN: flatten(each["IpPermissions"]), OUT: flatten(each["IpPermissionsEgress"])}
        yield each["GroupId"], tags_of(each), facts, each["GroupName"]


@dataclass(frozen=True)
class _Direction:
    name: str
    authorize: str
    revoke: str
    describe: str


DIRECTIONS = (
    _Direction(
        IN,
        "authorize_security_group_ingress",
        "revoke_security_group_ingress",
        "update_security_group_rule_descriptions_ingress",
    ),
    _Direction(
        OUT,
        "authorize_security_group_egress",
        "revoke_security_group_egress",
        "update_security_group_rule_descriptions_egress",
    ),
)
DEFAULT_EGRESS = Rule("-1", -1, -1, "0.0.0.0/0", "")


def _create_rules(item: Item, world: World) -> Iterator[Call]:
    """Yield the calls for a group that has only what AWS gives to a new one: everything may leave."""
    yield from _change_rules(item, Found(item.ref, "", {IN: (), OUT: (DEFAULT_EGRESS,)}), World())


def _change_rules(item: Item, found: Found, world: World) -> Iterator[Call]:
    """Yield at most three calls for each direction. Missing rules are added before surplus ones are revoked, so that
    nothing that is planned is closed for a moment."""
    owner, known = group(item.ref.name), world.known
    for way in DIRECTIONS:
        planned = {rule.key(known): rule for rule in item.facts[way.name]}
        there = {rule.key(known): rule for rule in found.facts[way.name]}
        missing = [rule for key, rule in planned.items() if key not in there]
        extra = [rule for key, rule in there.items() if key not in planned]
        renamed = [rule for key, rule in planned.items() if key in there and there[key].why != rule.why]
        for operation, verb, chosen in (
            (way.authorize, "Add to", missing),
            (way.describe, "Describe in", renamed),
            (way.revoke, "Remove from", extra),
        ):
            if chosen:
                parameters = {"GroupId": owner, "IpPermissions": permissions(chosen)}
                said = "; ".join(rule.words(way.name) for rule in chosen)
                yield Call("ec2", operation, parameters, f"{verb} {owner}: {said}")


def _remove_rules(found: Found) -> Iterator[Call]:
    """Yield the calls that empty a group: groups that refer to each other cannot be deleted."""
    for way in DIRECTIONS:
        if there := found.facts[way.name]:
            words = f"Remove all rules of {way.name} from {group(found.ref.name)} ({found.id})"
            parameters = {"GroupId": found.id, "IpPermissions": permissions(there)}
            yield Call("ec2", way.revoke, parameters, words, gone_is_done=True)


GROUP_KIND = Kind(
    "security group",
    _create,
    no_change,
    lambda found: iter([removal("delete_security_group", "GroupId", found)]),
    Question("describe_security_groups", IN_VPC, _found),
)
RULES_KIND = Kind("rules", _create_rules, _change_rules, _remove_rules, tagged=False)

"""Rules of security groups, from the flows of roles and from settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from nexus.environment.environment import Environment
from nexus.provider.aws.model import Ref
from nexus.run.flow import CONTAINERS, ENGINE_GROUPS, OPERATORS, SELF, WORLD, Entry

EVERYWHERE = "0.0.0.0/0"
WORDS_MAX = 255  # characters of a rule's description
ALL = "-1"  # every protocol


@dataclass(frozen=True)
class Rule:
    """Packets of one protocol and a range of ports that may pass; `other` is the far end: a range of addresses, a
    security group as Ref, or the id of one."""

    protocol: str
    first: int
    last: int
    other: str | Ref
    why: str

    def key(self, known: Mapping[Ref, str]) -> tuple[str, int, int, str]:
        """Return what AWS tells rules apart by; groups that do not exist yet have the name of their Ref."""
        other = known.get(self.other, str(self.other)) if isinstance(self.other, Ref) else self.other
        return self.protocol, self.first, self.last, other

    def words(self, direction: str) -> str:
        """Return the rule as a person reads it."""
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        what = "everything" if self.protocol == ALL else f"{self.protocol} {ports}"
        return f"{what} {'from' if direction == 'ingress' else 'to'} {self.other}"


def ingress(
    env: Environment, matrix: Sequence[Entry], classes: Mapping[str, tuple[str, ...]], name: str
) -> tuple[Rule, ...]:
    """Return what may reach the hosts of a class, from the flows of all roles and from `firewall_allow`."""
    of_host = {host: each for each, hosts in classes.items() for host in hosts}
    found = [
        rule
        for entry in matrix
        if set(classes[name]) & set(entry.targets) and entry.flow.source != SELF
        for rule in _of_entry(env, entry, of_host)
    ]
    found += _jumps(env, matrix, of_host, name)
    for each in env.setting.get("firewall_allow") or ():
        if any(each["to"] in ("all", host, *env.host(host).groups) for host in classes[name]):
            why = f"firewall_allow: {each['why']}"
            protocol, port = each.get("protocol", "tcp"), int(each["port"])
            found += [Rule(protocol, port, port, _network(one), why) for one in each["from"]]
    return _merged(found)


def _of_entry(env: Environment, entry: Entry, of_host: Mapping[str, str]) -> Iterator[Rule]:
    flow, why = entry.flow, f"{entry.role}: {entry.flow.why}"
    others: list[str | Ref] = [Ref("security group", of_host[name]) for name in entry.sources]
    if flow.source == WORLD:
        others = [EVERYWHERE]
    elif flow.source == OPERATORS:
        others = [_network(each) for each in env.setting.get("firewall_operator_networks") or [EVERYWHERE]]
    elif flow.source == CONTAINERS:  # they leave with the address of their host
        others = [Ref("security group", of_host[host.name]) for host in env.hosts if host.groups & ENGINE_GROUPS]
    for other in others:
        yield Rule(flow.protocol, flow.port, flow.port, other, why)


def _jumps(env: Environment, matrix: Sequence[Entry], of_host: Mapping[str, str], name: str) -> Iterator[Rule]:
    """Yield the rules by which the first host of `aws_jump_group` reaches the ports of operators."""
    if not (jump := env.group(env.setting.aws_jump_group)):
        return
    for entry in matrix:
        if entry.flow.source == OPERATORS and any(of_host[target] == name for target in entry.targets):
            other = Ref("security group", of_host[jump[0].name])
            yield Rule(entry.flow.protocol, entry.flow.port, entry.flow.port, other, "runs, through the jump host")


def egress(env: Environment) -> tuple[Rule, ...]:
    """Return where hosts may connect to: the VPC, whose hosts have rules of their own, and `aws_egress`."""
    inside = Rule(ALL, -1, -1, env.setting.aws_network, "hosts of this environment")
    return _merged(
        [
            inside,
            *(
                Rule(each["protocol"], int(each["port"]), int(each["port"]), _network(each["to"]), each["why"])
                for each in env.setting.aws_egress
            ),
        ]
    )


def _network(text: str) -> str:
    return str(ip_network(text))


def _merged(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules in a fixed order; those that differ only in their reason become one."""
    found: dict[tuple[str, int, int, str], Rule] = {}
    for rule in rules:
        key = rule.key({})
        known = found.get(key)
        if known and rule.why not in known.why.split("; "):
            rule = replace(rule, why=f"{known.why}; {rule.why}")
        elif known:
            rule = known
        found[key] = rule
    return tuple(replace(found[key], why=_plain(found[key].why)) for key in sorted(found))


def _plain(text: str) -> str:
    """Return a description of those characters that AWS takes."""
    allowed = "._-:/()#,@[]+=&;{}!$* "
    return "".join(each if each.isascii() and (each.isalnum() or each in allowed) else "." for each in text)[:WORDS_MAX]


def flatten(found: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return permissions as AWS lists them as single rules."""
    return tuple(sorted((rule for each in found for rule in _flat(each)), key=lambda rule: rule.key({})))


def _flat(each: Mapping[str, Any]) -> Iterator[Rule]:
    ends = each.get("FromPort", -1), each.get("ToPort", -1)
    for field, name in OTHERS.items():
        for one in each.get(field) or ():
            yield Rule(each["IpProtocol"], *ends, one[name], one.get("Description") or "")


OTHERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}


def permissions(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as calls take them, those that go as well as those that come."""
    return [_permission(rule) for rule in rules]


def _permission(rule: Rule) -> dict[str, Any]:
    field = "UserIdGroupPairs"
    if isinstance(rule.other, str):
        field = "PrefixListIds" if rule.other.startswith("pl-") else field
        field = "Ipv6Ranges" if ":" in rule.other else "IpRanges" if "/" in rule.other else field
    other = {OTHERS[field]: rule.other}
    if rule.why:
        other["Description"] = rule.why
    ends = {} if rule.protocol == ALL else {"FromPort": rule.first, "ToPort": rule.last}
    return {"IpProtocol": rule.protocol, **ends, field: [other]}

"""Addresses that stay, NAT gateways, and route tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import IN_VPC, TAGGED, VPC, Kind, Question, no_change, removal
from nexus.provider.aws.model import Call, Found, Item, Ref, Wait, World, specification, tags_of

EVERYWHERE = "0.0.0.0/0"


def address(name: str) -> Ref:
    """Return the public address of a host, or of a NAT gateway."""
    return Ref("address", name)


def ip(name: str) -> Ref:
    """Return the number of a public address."""
    return Ref("ip", name)


def nat(zone: str) -> Ref:
    """Return the NAT gateway in a zone."""
    return Ref("NAT gateway", zone)


def _create_address(item: Item, world: World) -> Iterator[Call]:
    parameters = {"Domain": "vpc", "TagSpecifications": specification("elastic-ip", item.tags)}
    more = ((ip(item.ref.name), ("PublicIp",)),)
    yield Call("ec2", "allocate_address", parameters, f"Allocate {item.ref}", item.ref, ("AllocationId",), more)


def _found_addresses(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["Addresses"]:
        facts = {
            "ip": each["PublicIp"],
            "instance": each.get("InstanceId") or "",
            "association": each.get("AssociationId") or "",
        }
        yield each["AllocationId"], tags_of(each), facts, each["PublicIp"]


def _create_nat(item: Item, world: World) -> Iterator[Call]:
    parameters = {
        "SubnetId": item.facts["subnet"],
        "AllocationId": item.facts["address"],
        "ClientToken": item.facts["token"],
        "TagSpecifications": specification("natgateway", item.tags),
    }
    wait = Wait("describe_nat_gateways", {"NatGatewayIds": [item.ref]}, ("NatGateways", 0, "State"), "available", 600)
    path = ("NatGateway", "NatGatewayId")
    yield Call(
        "ec2", "create_nat_gateway", parameters, f"Create {item.ref}, and wait for it", item.ref, path, wait=wait
    )


def _remove_nat(found: Found) -> Iterator[Call]:
    wait = Wait(
        "describe_nat_gateways", {"NatGatewayIds": [found.id]}, ("NatGateways", 0, "State"), "deleted", 600, True
    )
    words = f"Delete {found.ref} ({found.id}), and wait until it is gone"
    yield Call("ec2", "delete_nat_gateway", {"NatGatewayId": found.id}, words, wait=wait, gone_is_done=True)


def _found_nats(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["NatGateways"]:
        if each["State"] not in ("deleted", "deleting", "failed"):
            yield each["NatGatewayId"], tags_of(each), {"state": each["State"]}, ""


def _create_table(item: Item, world: World) -> Iterator[Call]:
    parameters = {"VpcId": VPC, "TagSpecifications": specification("route-table", item.tags)}
    path = ("RouteTable", "RouteTableId")
    yield Call("ec2", "create_route_table", parameters, f"Create {item.ref}", item.ref, path)
    yield from _routes(item, {}, world)
    yield from _associations(item, {}, world)


def _change_table(item: Item, found: Found, world: World) -> Iterator[Call]:
    yield from _routes(item, found.facts["routes"], world)
    yield from _associations(item, found.facts["subnets"], world)


def _routes(item: Item, found: Mapping[str, str], world: World) -> Iterator[Call]:
    known = world.known
    for range_, target in item.facts["routes"].items():
        if found.get(range_) == known.get(target, target):
            continue
        way = "NatGatewayId" if target.kind == "NAT gateway" else "GatewayId"
        parameters = {"RouteTableId": item.ref, "DestinationCidrBlock": range_, way: target}
        verb, operation = ("Replace", "replace_route") if range_ in found else ("Create", "create_route")
        yield Call("ec2", operation, parameters, f"{verb} route in {item.ref}: {range_} by {target}")
    for range_ in found.keys() - item.facts["routes"].keys():
        parameters = {"RouteTableId": item.ref, "DestinationCidrBlock": range_}
        yield Call("ec2", "delete_route", parameters, f"Delete route in {item.ref}: {range_}", gone_is_done=True)


def _associations(item: Item, found: Mapping[str, str], world: World) -> Iterator[Call]:
    known = world.known
    for subnet in item.facts["subnets"]:
        if known.get(subnet) in found:
            continue
        elsewhere = next(
            (
                table.facts["subnets"][known[subnet]]
                for table in world.of("route table").values()
                if known.get(subnet) in table.facts["subnets"]
            ),
            "",
        )
        words = f"Use {item.ref} in {subnet}"
        if elsewhere:
            parameters = {"AssociationId": elsewhere, "RouteTableId": item.ref}
            yield Call("ec2", "replace_route_table_association", parameters, words)
        else:
            yield Call("ec2", "associate_route_table", {"RouteTableId": item.ref, "SubnetId": subnet}, words)


def _remove_table(found: Found) -> Iterator[Call]:
    for association in found.facts["subnets"].values():
        words = f"Stop the use of {found.ref} ({association})"
        parameters = {"AssociationId": association}
        yield Call("ec2", "disassociate_route_table", parameters, words, gone_is_done=True)
    yield removal("delete_route_table", "RouteTableId", found)


def _found_tables(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["RouteTables"]:
        associations = each.get("Associations", ())
        if any(one.get("Main") for one in associations):
            continue  # each VPC has one by itself
        routes = {
            one["DestinationCidrBlock"]: one.get("NatGatewayId") or one.get("GatewayId") or "?"
            for one in each["Routes"]
            if one.get("DestinationCidrBlock") and one.get("GatewayId") != "local"
        }
        subnets = {one["SubnetId"]: one["RouteTableAssociationId"] for one in associations if one.get("SubnetId")}
        yield each["RouteTableId"], tags_of(each), {"routes": routes, "subnets": subnets}, ""


ADDRESS_KIND = Kind(
    "address",
    _create_address,
    no_change,
    lambda found: iter(
        [removal("release_address", "AllocationId", found, f"Release {found.ref} ({found.facts['ip']})")]
    ),
    Question("describe_addresses", TAGGED, _found_addresses),
)
NAT_KIND = Kind(
    "NAT gateway", _create_nat, no_change, _remove_nat, Question("describe_nat_gateways", IN_VPC, _found_nats)
)
TABLE_KIND = Kind(
    "route table", _create_table, _change_table, _remove_table, Question("describe_route_tables", IN_VPC, _found_tables)
)

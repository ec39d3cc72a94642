"""The network: a VPC over three zones, its subnets, its internet gateway."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from nexus.provider.aws.kind import IN_VPC, TAGGED, VPC, Kind, Question, no_change, removal
from nexus.provider.aws.model import Call, Found, Item, Ref, World, specification, tags_of

PUBLIC, APPLICATION, DATA = TIERS = ("public", "application", "data")
GATEWAY = Ref("internet gateway", "")


def subnet(tier: str, zone: str) -> Ref:
    """Return the subnet of a tier in a zone."""
    return Ref("subnet", f"{tier}-{zone}")


def subnet_ranges(network: str, zones: list[str]) -> dict[Ref, str]:
    """Return {subnet: range}: parts of the VPC's range, by tier and zone."""
    parts = IPv4Network(network).subnets(prefixlen_diff=4)
    return {subnet(tier, zone): str(next(parts)) for tier in TIERS for zone in zones}


def _create_vpc(item: Item, world: World) -> Iterator[Call]:
    cidr = item.facts["range"]
    parameters = {"CidrBlock": cidr, "TagSpecifications": specification("vpc", item.tags)}
    yield Call("ec2", "create_vpc", parameters, f"Create VPC {cidr}", VPC, ("Vpc", "VpcId"))


def _found_vpcs(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["Vpcs"]:
        yield each["VpcId"], tags_of(each), {"range": each["CidrBlock"]}, each["CidrBlock"]


def _create_subnet(item: Item, world: World) -> Iterator[Call]:
    parameters = {
        "VpcId": VPC,
        "CidrBlock": item.facts["range"],
        "AvailabilityZone": item.facts["zone"],
        "TagSpecifications": specification("subnet", item.tags),
    }
    words = f"Create {item.ref}: {item.facts['range']} in {item.facts['zone']}"
    yield Call("ec2", "create_subnet", parameters, words, item.ref, ("Subnet", "SubnetId"))


def _found_subnets(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["Subnets"]:
        facts = {"range": each["CidrBlock"], "zone": each["AvailabilityZone"]}
        yield each["SubnetId"], tags_of(each), facts, each["CidrBlock"]


def _create_gateway(item: Item, world: World) -> Iterator[Call]:
    parameters = {"TagSpecifications": specification("internet-gateway", item.tags)}
    path = ("InternetGateway", "InternetGatewayId")
    yield Call("ec2", "create_internet_gateway", parameters, f"Create {GATEWAY}", GATEWAY, path)
    yield _attach()


def _attach() -> Call:
    return Call("ec2", "attach_internet_gateway", {"InternetGatewayId": GATEWAY, "VpcId": VPC}, f"Attach {GATEWAY}")


def _change_gateway(item: Item, found: Found, world: World) -> Iterator[Call]:
    if not found.facts["attached"]:
        yield _attach()


def _remove_gateway(found: Found) -> Iterator[Call]:
    if vpc := found.facts["attached"]:
        parameters = {"InternetGatewayId": found.id, "VpcId": vpc}
        yield Call("ec2", "detach_internet_gateway", parameters, f"Detach {found.ref} ({found.id})", gone_is_done=True)
    yield removal("delete_internet_gateway", "InternetGatewayId", found)


def _found_gateways(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["InternetGateways"]:
        attached = next((one["VpcId"] for one in each.get("Attachments", ())), "")
        yield each["InternetGatewayId"], tags_of(each), {"attached": attached}, ""


VPC_KIND = Kind(
    "vpc",
    _create_vpc,
    no_change,
    lambda found: iter([removal("delete_vpc", "VpcId", found)]),
    Question("describe_vpcs", TAGGED, _found_vpcs),
)
SUBNET_KIND = Kind(
    "subnet",
    _create_subnet,
    no_change,
    lambda found: iter([removal("delete_subnet", "SubnetId", found)]),
    Question("describe_subnets", IN_VPC, _found_subnets),
)
GATEWAY_KIND = Kind(
    "internet gateway",
    _create_gateway,
    _change_gateway,
    _remove_gateway,
    Question("describe_internet_gateways", TAGGED, _found_gateways),
)

"""What is refused before the first call: losing data or a majority, networks that overlap, images of something else."""

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, ip_interface

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.provider.aws.client import Cloud
from nexus.provider.aws.instance import GENERATION, GROUPS
from nexus.provider.aws.model import AwsError, Found, Item, World
from nexus.run.role import Roles

DEBIAN_OWNER = "136693071363"  # the account in which Debian publishes its images
DEBIAN_NAME = re.compile(r"^debian-13-amd64-")
NETWORK = re.compile(r"_(network|networks|pool|pools|bridge_address)$")
OWN = ("aws_network", "nginx_admin_networks", "firewall_operator_networks", "edge_unlimited_networks")


def check_settings(env: Environment, public: frozenset[str]) -> None:
    """OperatorError for settings that cannot become an environment of AWS."""
    setting = env.setting
    network = _range(env)
    if len(setting.aws_zones) != 3 or len(set(setting.aws_zones)) != 3:
        raise OperatorError(f"aws_zones is {setting.aws_zones}: name three zones, such as ['a', 'b', 'c']")
    if setting.aws_nat_gateways not in (0, 1, 3):
        raise OperatorError(f"aws_nat_gateways is {setting.aws_nat_gateways}: write 0, 1 or 3")
    if not setting.aws_authorized_keys:
        raise OperatorError("aws_authorized_keys is empty, and nobody could log in: add a line of authorized_keys")
    for host in env.hosts:
        if host.setting.aws_zone and host.setting.aws_zone not in setting.aws_zones:
            raise OperatorError(f'{host.name}: aws_zone is "{host.setting.aws_zone}"; there are {setting.aws_zones}')
    _check_overlaps(env, network)
    _check_jump(env, public)


def _covers(network: str, other: IPv4Network) -> bool:
    found = ip_interface(network).network
    return isinstance(found, IPv4Network) and found.supernet_of(other)


def _range(env: Environment) -> IPv4Network:
    text = env.setting.aws_network
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise OperatorError(f'aws_network is "{text}": {error}. Write a range such as "10.0.0.0/16"') from None
    if not 16 <= network.prefixlen <= 24:
        raise OperatorError(f'aws_network is "{text}": AWS takes a VPC from /16, and nine subnets need /24 or larger')
    return network


def _check_overlaps(env: Environment, network: IPv4Network) -> None:
    for name, value in env.setting.items():
        if not NETWORK.search(name) or name in OWN:
            continue
        for text in _texts(value):
            try:
                other = ip_interface(text).network
            except ValueError:
                continue
            if other.version == 4 and other.overlaps(network):
                raise OperatorError(f"aws_network {network} overlaps {name} {text}: change one of them")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and "/" in value:
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each.get("base") if isinstance(each, dict) else each)


def _check_jump(env: Environment, public: frozenset[str]) -> None:
    if not env.setting.aws_nat_gateways or all(host.name in public for host in env.hosts):
        return
    group = env.setting.aws_jump_group
    jump = next(iter(env.group(group)), None)
    if not jump or jump.name not in public:
        lack = f"{jump.name} has no public address" if jump else "it has no host"
        raise OperatorError(
            f'aws_jump_group is "{group}", and {lack}: hosts without a public address are reached through its first '
            "host. Name another group, or set aws_nat_gateways = 0"
        )
    operators = list(env.setting.get("firewall_operator_networks") or ())
    covered = any(_covers(each, _range(env)) for each in operators)
    if operators and not covered:
        raise OperatorError(
            f"firewall_operator_networks leaves out {env.setting.aws_network}, and runs reach most hosts from "
            f'{jump.name}: add "{env.setting.aws_network}"'
        )


def check_image(cloud: Cloud, image: str) -> None:
    """AwsError unless this is Debian's own image of Debian 13 for 64-bit PCs, in this region."""
    if not image:
        raise AwsError(
            f"aws_image is empty: set it to the id of Debian's image of Debian 13 in {cloud.region}, owner "
            f"{DEBIAN_OWNER}, name debian-13-amd64-..."
        )
    answer = cloud.ask("ec2", "describe_images", {"ImageIds": [image]}) or {"Images": []}
    if not answer["Images"]:
        raise AwsError(f"aws_image {image} does not exist in {cloud.region}: images have another id in each region")
    found = answer["Images"][0]
    if found.get("OwnerId") != DEBIAN_OWNER or not DEBIAN_NAME.search(found.get("Name", "")):
        raise AwsError(
            f"aws_image {image} is {found.get('Name')} of {found.get('OwnerId')}, and only Debian 13 is supported: "
            f"owner {DEBIAN_OWNER}, name debian-13-amd64-..."
        )
    if found.get("State") != "available":
        raise AwsError(f"aws_image {image} is {found.get('State')}: name one that is available")


def check_losses(env: Environment, roles: Roles, items: Iterable[Item], world: World, volumes: bool) -> None:
    """AwsError for a plan that would end a host with data, or too many members of a majority. `volumes`: the operator
    said that volumes may go."""
    wanted = {item.ref: item for item in items}
    there = world.of("instance")
    ended = {name: found for name, found in there.items() if _ends(wanted.get(found.ref), found)}
    for name, found in ended.items():
        how = "replace" if found.ref in wanted else "delete"
        groups = set(found.tags.get(GROUPS, "").split())
        held = [role for role, about in roles.items() if about.data and groups & set(about.groups)]
        if held:
            raise AwsError(
                f"this would {how} {name} ({found.id}), which holds data of {', '.join(held)}. Take it out of the "
                "groups of its stores and run deploys/full.py first"
                + (", or undo the change of aws_generation" if how == "replace" else "")
            )
        disks = [disk for disk in world.of("volume").values() if disk.facts["instance"] == found.id]
        if disks and not volumes:
            names = ", ".join(f"{disk.ref} ({disk.id})" for disk in disks)
            raise AwsError(
                f"this would {how} {name} ({found.id}), which has {names}: add --data volumes=yes to lose them"
            )
    _check_majorities(env, roles, there, frozenset(ended))


def _ends(item: Item | None, found: Found) -> bool:
    return item is None or int(found.tags.get(GENERATION) or 1) < item.facts["generation"]


def _check_majorities(env: Environment, roles: Roles, there: dict[str, Found], ended: frozenset[str]) -> None:
    if not ended:
        return
    former = copy.copy(env)
    former.hosts = tuple(
        Host(name, found.facts["private_ip"], frozenset(found.tags.get(GROUPS, "").split()) | {"all"}, env.setting)
        for name, found in there.items()
    )
    try:
        roles.check_without(former, ended)
    except OperatorError as error:
        raise AwsError(f"this would end {', '.join(sorted(ended))}, and {error}") from None


def check_foreign(world: World) -> None:
    """AwsError if something that is not ours is in the VPC, which therefore cannot be deleted."""
    if inside := [each for each in world.foreign if not each.startswith("zone ")]:
        raise AwsError(f"not ours, and in the VPC that would be deleted: {'; '.join(inside)}. Remove them first")


def check_volumes(environment: str, names: Sequence[str], volumes: bool) -> None:
    """AwsError if there is data and the operator did not say that it may go."""
    if names and not volumes:
        raise AwsError(f"{environment} has data in {', '.join(names)}: add --data volumes=yes to delete it")

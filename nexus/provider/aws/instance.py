"""Instances: the hosts themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import KEYED, Kind, Question
from nexus.provider.aws.model import Call, Found, Item, Ref, Wait, World, specification, tags_of

GENERATION = "nexus-cos:generation"
GROUPS = "nexus-cos:groups"  # the host's groups, each with its place in the group: "app:2 ops:0"
HOST_KEY = "nexus-cos:host-key"  # the host's public key, by which the first connection is verified
METADATA = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}


def instance(host: str) -> Ref:
    """Return the instance of a host."""
    return Ref("instance", host)


def _create(item: Item, world: World) -> Iterator[Call]:
    facts = item.facts
    interface: dict[str, Any] = {
        "DeviceIndex": 0,
        "SubnetId": facts["subnet"],
        "Groups": [facts["group"]],
        "AssociatePublicIpAddress": facts["public"],
    }
    if facts["private_ip"]:
        interface["PrivateIpAddress"] = facts["private_ip"]
    disk = {"VolumeType": "gp3", "VolumeSize": facts["root_gibibytes"], "Encrypted": True, "DeleteOnTermination": True}
    parameters = {
        "ImageId": facts["image"],
        "InstanceType": facts["type"],
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": facts["token"],
        "UserData": facts["user_data"],
        "NetworkInterfaces": [interface],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
        "MetadataOptions": METADATA,
        "TagSpecifications": specification("instance", item.tags),
    }
    if facts["profile"]:
        parameters["IamInstanceProfile"] = {"Name": facts["profile"]}
    words = (
        f"Create {item.ref}: {facts['type']} of {facts['image']} in {facts['subnet']}, generation {facts['generation']}"
    )
    yield Call("ec2", "run_instances", parameters, words, item.ref, ("Instances", 0, "InstanceId"))


def _change(item: Item, found: Found, world: World) -> Iterator[Call]:
    """Yield what brings an instance to the plan. One of an older generation is replaced; refusals come before."""
    if int(found.tags.get(GENERATION) or 1) < item.facts["generation"]:
        yield from _remove(found)
        yield from _create(item, world)
        return
    if found.facts["state"] in ("stopped", "stopping"):
        yield Call("ec2", "start_instances", {"InstanceIds": [item.ref]}, f"Start {item.ref} ({found.id})")
    if found.facts["groups"] != [world.known.get(item.facts["group"])]:
        parameters = {"InstanceId": item.ref, "Groups": [item.facts["group"]]}
        yield Call("ec2", "modify_instance_attribute", parameters, f"Give {item.ref} the {item.facts['group']}")
    if found.facts["metadata"] != ("required", 1):
        words = f"Require tokens and one hop for the metadata of {item.ref}"
        yield Call("ec2", "modify_instance_metadata_options", {"InstanceId": item.ref, **METADATA}, words)


def _remove(found: Found) -> Iterator[Call]:
    path = ("Reservations", 0, "Instances", 0, "State", "Name")
    wait = Wait("describe_instances", {"InstanceIds": [found.id]}, path, "terminated", gone=True)
    words = f"Terminate {found.ref} ({found.id}), and wait until it is gone"
    yield Call("ec2", "terminate_instances", {"InstanceIds": [found.id]}, words, wait=wait, gone_is_done=True)


def _found(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for reservation in answer["Reservations"]:
        for each in reservation["Instances"]:
            tags, options = tags_of(each), each.get("MetadataOptions", {})
            facts = {
                "state": each["State"]["Name"],
                "vpc": each.get("VpcId") or "",
                "type": each["InstanceType"],
                "image": each["ImageId"],
                "groups": _groups(each),
                "metadata": (options.get("HttpTokens"), options.get("HttpPutResponseHopLimit")),
                "private_ip": each.get("PrivateIpAddress") or "",
                "public_ip": each.get("PublicIpAddress") or "",
            }
            yield each["InstanceId"], tags, facts, tags.get("Name", "")


def _groups(answer: Mapping[str, Any]) -> list[str]:
    """Return the security groups of an instance, which are those of its interface."""
    interfaces = answer.get("NetworkInterfaces") or [{}]
    return [one["GroupId"] for one in interfaces[0].get("Groups") or answer.get("SecurityGroups", ())]


def _associate(item: Item, world: World) -> Iterator[Call]:
    """An instance that is ending may still have the address: it is taken from there, as is AWS's default."""
    parameters = {
        "AllocationId": item.facts["address"], "InstanceId": item.facts["instance"], "AllowReassociation": True,
    }  # fmt: skip
    words = f"Give {item.facts['address']} to {item.facts['instance']}"
    yield Call("ec2", "associate_address", parameters, words)


def _move(item: Item, found: Found, world: World) -> Iterator[Call]:
    if found.facts["instance"] != world.known.get(item.facts["instance"]):
        yield from _associate(item, world)


INSTANCE_KIND = Kind("instance", _create, _change, _remove, Question("describe_instances", KEYED, _found))
ASSOCIATION_KIND = Kind("association", _associate, _move, lambda found: iter(()), tagged=False)

"""Volumes of stores: resources of their own, which outlive the instance that they are attached to."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import TAGGED, Kind, Question, removal
from nexus.provider.aws.model import AwsError, Call, Found, Item, Ref, World, specification, tags_of

DEVICES = "fghijklmnop"  # last letters of the names by which volumes are attached


def volume(host: str, store: str) -> Ref:
    """Return the volume of a store on a host."""
    return Ref("volume", f"{host}/{store}")


def _create(item: Item, world: World) -> Iterator[Call]:
    size, zone = item.facts["gibibytes"], item.facts["zone"]
    parameters = {
        "AvailabilityZone": zone,
        "Size": size,
        "VolumeType": "gp3",
        "Encrypted": True,
        "ClientToken": item.facts["token"],
        "TagSpecifications": specification("volume", item.tags),
    }
    words = f"Create {item.ref}: {size} GiB in {zone}, encrypted"
    yield Call("ec2", "create_volume", parameters, words, item.ref, ("VolumeId",))


def _change(item: Item, found: Found, world: World) -> Iterator[Call]:
    size, now = item.facts["gibibytes"], found.facts["gibibytes"]
    if found.facts["zone"] != item.facts["zone"]:
        raise AwsError(
            f"{item.ref} ({found.id}) is in {found.facts['zone']}, and its host would be in {item.facts['zone']}. A "
            f'volume stays where it is: set aws_zone = "{found.facts["zone"][-1]}" for the host'
        )
    if size < now:
        raise AwsError(f"{item.ref} ({found.id}) has {now} GiB, and a volume never shrinks: plan at least {now} GiB")
    if size > now:
        parameters = {"VolumeId": item.ref, "Size": size}
        yield Call("ec2", "modify_volume", parameters, f"Grow {item.ref} from {now} to {size} GiB")


def _found(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], dict[str, Any], str]]:
    for each in answer["Volumes"]:
        if each["State"] in ("deleting", "deleted"):
            continue
        attached: Mapping[str, Any] = next(
            (one for one in each.get("Attachments", ()) if one.get("State") != "detached"), {}
        )
        facts = {
            "gibibytes": each["Size"],
            "zone": each["AvailabilityZone"],
            "encrypted": each["Encrypted"],
            "instance": attached.get("InstanceId") or "",
        }
        yield each["VolumeId"], tags_of(each), facts, ""


def _attach(item: Item, world: World) -> Iterator[Call]:
    disk, instance = item.facts["volume"], item.facts["instance"]
    parameters = {"VolumeId": disk, "InstanceId": instance, "Device": item.facts["device"]}
    yield Call("ec2", "attach_volume", parameters, f"Attach {disk} to {instance}")


def _move(item: Item, found: Found, world: World) -> Iterator[Call]:
    """Yield the call that attaches the volume if it is not; AwsError if another instance has it."""
    there = found.facts["instance"]
    if there == world.known.get(item.facts["instance"]):
        return
    if there and there not in world.known.values():
        raise AwsError(f"{item.facts['volume']} is attached to {there}, which is not ours: detach it there")
    yield from _attach(item, world)


VOLUME_KIND = Kind(
    "volume",
    _create,
    _change,
    lambda found: iter([removal("delete_volume", "VolumeId", found)]),
    Question("describe_volumes", TAGGED, _found),
)
ATTACHMENT_KIND = Kind("attachment", _attach, _move, lambda found: iter(()), tagged=False)

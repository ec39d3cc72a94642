"""The list of calls that lead from what is there to what is wanted, in the order in which they are made."""

import copy
from collections.abc import Iterable

from nexus.provider.aws.bucket import BUCKET_KIND
from nexus.provider.aws.dns import ZONE_KIND
from nexus.provider.aws.instance import ASSOCIATION_KIND, INSTANCE_KIND
from nexus.provider.aws.kind import Kind, tags_call
from nexus.provider.aws.model import Call, Item, Ref, World
from nexus.provider.aws.network import GATEWAY_KIND, SUBNET_KIND, VPC_KIND
from nexus.provider.aws.profile import PROFILE_KIND
from nexus.provider.aws.route import ADDRESS_KIND, NAT_KIND, TABLE_KIND
from nexus.provider.aws.security_group import GROUP_KIND, RULES_KIND
from nexus.provider.aws.volume import ATTACHMENT_KIND, VOLUME_KIND

# Each on those before it; what is not wanted any more goes in the opposite order.
KINDS = (
    VPC_KIND, GATEWAY_KIND, SUBNET_KIND, ADDRESS_KIND, NAT_KIND, TABLE_KIND, GROUP_KIND, RULES_KIND, BUCKET_KIND,
    PROFILE_KIND, VOLUME_KIND, INSTANCE_KIND, ATTACHMENT_KIND, ASSOCIATION_KIND, ZONE_KIND,
)  # fmt: skip


def comparison(items: Iterable[Item], world: World, keeps: frozenset[Ref] = frozenset()) -> list[Call]:
    """Return the calls; none if nothing differs. `keeps` are resources that stay although they are not wanted."""
    wanted = {item.ref: item for item in items}
    world = copy.copy(world)
    world.found = dict(world.found)
    made = [call for kind in KINDS for item in _of(kind, wanted) for call in _item(kind, item, world)]
    # A rule goes once its hosts have their new groups: until then it may be what keeps them reachable.
    late = [call for call in made if call.operation.startswith("revoke_")]
    calls = [call for call in made if call not in late] + late
    for kind in reversed(KINDS):
        for found in world.of(kind.name).values():
            if found.ref not in wanted and found.ref not in keeps:
                calls += kind.remove(found)
    return calls


def _of(kind: Kind, wanted: dict[Ref, Item]) -> list[Item]:
    return [item for ref, item in wanted.items() if ref.kind == kind.name]


def _item(kind: Kind, item: Item, world: World) -> list[Call]:
    found = world.found.get(item.ref)
    if not found:
        return list(kind.create(item, world))
    calls = list(kind.change(item, found, world))
    if any(call.gives == item.ref for call in calls):  # replaced: what belongs to the old one has to be made again
        del world.found[item.ref]
    elif kind.tagged:
        calls += tags_call(item, found)
    return calls

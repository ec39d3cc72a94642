"""AWS as a provider: see nexus/provider/protocol.py. A plan is a list of calls, and a run makes exactly these."""

from collections.abc import Sequence
from functools import partial

from nexus.environment.environment import Environment
from nexus.environment.inventory import environment_of, file_of, read
from nexus.provider.aws import access, cost, refusal
from nexus.provider.aws.client import Cloud
from nexus.provider.aws.comparison import comparison
from nexus.provider.aws.desired import Wish, desired, public_hosts
from nexus.provider.aws.instance import GENERATION
from nexus.provider.aws.inventory import keep
from nexus.provider.aws.model import Call, Item, Ref, World
from nexus.provider.aws.reading import reading
from nexus.provider.protocol import Plan, Step
from nexus.run.flow import matrix
from nexus.run.role import Roles

NO_SECRETS = {"secrets_file": "group_data/secrets/none", "secrets_generate": True}  # no secret is needed here


def provision(name: str, roles: Roles, volumes: bool) -> Plan:
    """Return the calls that bring AWS to the inventory of an environment."""
    env, groups = loaded(name)
    return planned(Cloud(env.setting.aws_region), env, roles, groups, volumes)


def destroy(name: str, roles: Roles, volumes: bool) -> Plan:
    """Return the calls that remove all that AWS has of an environment."""
    env, _ = loaded(name)
    return emptied(Cloud(env.setting.aws_region), env, volumes)


def loaded(name: str) -> tuple[Environment, list[str]]:
    """Return an environment, and its groups in the order of the inventory."""
    found = read(file_of(name), NO_SECRETS)
    groups = [group for group in found.groups if group not in ("all", name)]
    return environment_of(name, found), groups


def planned(cloud: Cloud, env: Environment, roles: Roles, groups: Sequence[str], volumes: bool = False) -> Plan:
    """Return the calls that bring a cloud to an environment; OperatorError for what is refused."""
    refusal.check_settings(env, public_hosts(env, matrix(env, roles)))
    world = look(cloud, env)
    wish = wish_of(env, roles, groups, world)
    items = desired(wish)
    refusal.check_losses(env, roles, items, world, volumes)
    for image in sorted({env.host(name).setting.aws_image for name in wish.fresh}):
        refusal.check_image(cloud, image)
    wanted = {item.ref for item in items}
    kept = _kept(world, volumes)
    calls = comparison(items, world, kept)
    notes = [
        *_foreign(world),
        *(f"not deleted, although no longer planned: {ref} ({world.found[ref].id})" for ref in sorted(kept - wanted)),
        *_differences(items, world),
        *(cost.lines(env.setting.aws_region, items) if calls else ()),
    ]
    return _plan(cloud, world, calls, notes, partial(_finish, cloud, env))


def emptied(cloud: Cloud, env: Environment, volumes: bool) -> Plan:
    """Return the calls that remove all that a cloud has of an environment; OperatorError for what is refused."""
    world = look(cloud, env, to_the_end=True)
    data = [f"{found.ref} ({found.id})" for kind in ("volume", "bucket") for found in world.of(kind).values()]
    refusal.check_volumes(env.name, data, volumes)
    refusal.check_foreign(world)
    return _plan(cloud, world, comparison((), world), _foreign(world), partial(access.forget_host_keys, env.name))


def look(cloud: Cloud, env: Environment, to_the_end: bool = False) -> World:
    """Return what a cloud has of an environment."""
    return reading(cloud, env.name, env.setting.domain, env.setting.aws_bucket, to_the_end)


def wish_of(env: Environment, roles: Roles, groups: Sequence[str], world: World) -> Wish:
    """Return what the desired world is made from, with the generation of each host."""
    there = {name: int(found.tags.get(GENERATION) or 1) for name, found in world.of("instance").items()}
    generations, fresh = {}, set()
    for host in env.hosts:
        planned, now = int(host.setting.aws_generation), there.get(host.name, 0)
        if now < planned or not now:
            fresh.add(host.name)
            now = max(planned, world.generations.get(host.name, 0) + 1)
        generations[host.name] = now
    return Wish(env, roles, groups, generations, frozenset(fresh), partial(access.host_key, env.name))


def _plan(cloud: Cloud, world: World, calls: Sequence[Call], notes: Sequence[str], after: partial[None]) -> Plan:
    known = world.known
    return Plan([Step(call.words, partial(cloud.carry_out, call, known)) for call in calls], notes, after)


def _kept(world: World, volumes: bool) -> frozenset[Ref]:
    """Return what stays although it is not wanted: data, unless the operator gave the word."""
    kinds = ("bucket",) if volumes else ("bucket", "volume")
    return frozenset(found.ref for kind in kinds for found in world.of(kind).values())


def _foreign(world: World) -> list[str]:
    return [f"not ours, left as it is: {each}" for each in world.foreign]


def _differences(items: Sequence[Item], world: World) -> list[str]:
    """Return lines about instances that are not as planned and that no run changes."""
    lines = []
    for item in items:
        found = world.found.get(item.ref)
        if item.ref.kind != "instance" or not found or item.ref.name in world.generations:
            continue
        for fact in ("type", "image"):
            if found.facts[fact] != item.facts[fact]:
                what = f"{item.ref} ({found.id}) has {fact} {found.facts[fact]}, and {item.facts[fact]} is planned"
                lines.append(f"{what}: a higher aws_generation replaces it")
    return lines


def _finish(cloud: Cloud, env: Environment) -> None:
    """Write what runs of this checkout need to reach the hosts."""
    keep(cloud, env.name)
    access.forget_host_keys(env.name)

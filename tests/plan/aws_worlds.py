"""Random environments and random damage to what AWS has of them, for the tests of what a run does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.provider.aws.model import World
from nexus.provider.aws.provider import look
from tests.plan.aws_cloud import Account

STORES = ["etcd", "postgresql", "redis", "rabbitmq"]
TINY = {"edge1": "edge", "data1": "data etcd"}
SMALL = {"edge1": "edge", "app1": "app ops", "data1": "data etcd postgresql"}


def hosts(rng: random.Random) -> dict[str, str]:
    """A random inventory."""
    found = {f"edge{number}": "edge" for number in range(1, rng.randint(1, 2) + 1)}
    found |= {f"app{number}": "app" for number in range(1, rng.randint(1, 3) + 1)}
    for number in range(1, rng.randint(1, 3) + 1):
        found[f"data{number}"] = " ".join(["data", *sorted(rng.sample(STORES, rng.randint(1, 4)))])
    return found | {"ops1": "ops"}


def settings(rng: random.Random) -> dict[str, Any]:
    """Random settings, of those that change what is made."""
    return {
        "aws_nat_gateways": rng.choice([0, 1, 3]),
        "aws_dns": rng.choice([True, False]),
        "aws_volume_gibibytes": rng.choice([20, 50]),
        "firewall_operator_networks": rng.choice([[], ["203.0.113.0/24", "10.0.0.0/16"]]),
    }


def damage(account: Account, env: Any, rng: random.Random, number: int = 3, harms: tuple[str, ...] = ()) -> None:
    """Change a few things by hand: some of all, or those that are named."""
    for harm in [each for each in HARMS if each.__name__ in harms] or rng.sample(HARMS, number):
        harm(account.raw("ec2"), look(account.cloud(), env), rng)


def _stop(ec2: Any, world: World, rng: random.Random) -> None:
    ec2.stop_instances(InstanceIds=[rng.choice(list(world.of("instance").values())).id])


def _terminate(ec2: Any, world: World, rng: random.Random) -> None:
    ec2.terminate_instances(InstanceIds=[rng.choice(list(world.of("instance").values())).id])


def _open(ec2: Any, world: World, rng: random.Random) -> None:
    group = rng.choice(list(world.of("security group").values())).id
    port = rng.randint(1000, 2000)
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def _close(ec2: Any, world: World, rng: random.Random) -> None:
    group = rng.choice(list(world.of("security group").values())).id
    [answer] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    if answer["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rng.choice(answer["IpPermissions"])])


def _detach(ec2: Any, world: World, rng: random.Random) -> None:
    live = world.known.values()
    if attached := [each for each in world.of("volume").values() if each.facts["instance"] in live]:
        found = rng.choice(attached)
        ec2.detach_volume(VolumeId=found.id, InstanceId=found.facts["instance"])


def _unroute(ec2: Any, world: World, rng: random.Random) -> None:
    table = rng.choice(list(world.of("route table").values()))
    if table.facts["routes"]:
        ec2.delete_route(RouteTableId=table.id, DestinationCidrBlock="0.0.0.0/0")


def _retag(ec2: Any, world: World, rng: random.Random) -> None:
    found = rng.choice(list(world.of("instance").values()))
    ec2.create_tags(Resources=[found.id], Tags=[{"Key": "Name", "Value": "mine"}])


def _metadata(ec2: Any, world: World, rng: random.Random) -> None:
    found = rng.choice(list(world.of("instance").values()))
    ec2.modify_instance_metadata_options(InstanceId=found.id, HttpTokens="optional", HttpPutResponseHopLimit=2)


HARMS: list[Callable[[Any, World, random.Random], None]] = [
    _stop, _terminate, _open, _close, _detach, _unroute, _retag, _metadata,
]  # fmt: skip


def dry_run_is_the_run(account: Account, seed: int) -> int:
    """Make a random world, damage it, and compare the dry run with the run, call for call; the number of calls."""
    rng = random.Random(seed)
    account.empty()
    more = {} if rng.random() < 0.5 else {"aws_bucket": ""}
    env = account.environment(hosts(rng), **settings(rng), **more)
    compared = 0
    for harmed in (False, True):
        if harmed:
            damage(account, env, rng)
        dry = [step.what for step in account.plan(env).steps]
        account.faults.requests.clear()
        plan = account.plan(env)
        assert account.faults.writes == []
        plan.carry_out()
        calls = [step.do.args[0] for step in plan.steps]  # type: ignore[attr-defined]
        assert dry == [call.words for call in calls]
        made = [request.action for request in account.faults.writes]
        assert len(made) == len(calls), f"seed {seed}"
        named = [(action, call) for action, call in zip(made, calls, strict=True) if call.service in ("ec2", "iam")]
        assert [action for action, _ in named] == [camel(call.operation) for _, call in named]
        compared += len(calls)
    assert [step.what for step in account.plan(env).steps] == []
    return compared


def camel(operation: str) -> str:
    """The name of an operation in AWS's own words."""
    return "".join(word.capitalize() for word in operation.split("_"))


def interrupted(account: Account, env: Any, point: int, lost: bool) -> None:
    """Stop a creation at one write, before it or with its answer lost, and let the next run finish."""
    account.faults.stop_at, account.faults.lost = point, lost
    with pytest.raises(OperatorError, match="rerun"):
        account.provision(env)
    account.faults.stop_at = 0
    account.provision(env)

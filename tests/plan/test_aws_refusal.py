"""What provider aws refuses, in words that name it, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.provider.aws.client import Cloud
from nexus.provider.aws.provider import look, planned
from roles.table import ROLES
from tests.plan.aws_cloud import GROUPS, HOSTS, Account
from tests.plan.aws_server import REGION, UBUNTU
from tests.plan.aws_worlds import SMALL, TINY

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "range that overlaps Docker's": ({"aws_network": "10.217.0.0/16"}, "overlaps docker_address_pools 10.217.0.0/16"),
    "range that overlaps the overlay": ({"aws_network": "10.220.0.0/16"}, "overlaps service_network 10.220.0.0/20"),
    "range that overlaps the gateway": ({"aws_network": "10.219.0.0/16"}, "overlaps gateway_network"),
    "range that overlaps the swarm": ({"aws_network": "10.221.0.0/16"}, "overlaps swarm_address_pool"),
    "range that is none": ({"aws_network": "10.0.0.1/16"}, "host bits set"),
    "range that is too small": ({"aws_network": "10.0.0.0/26"}, "need /24 or larger"),
    "zones": ({"aws_zones": ["a", "b"]}, "name three zones"),
    "zone": ({"aws_zone": "x"}, 'aws_zone is "x"'),
    "gateways": ({"aws_nat_gateways": 2}, "write 0, 1 or 3"),
    "no key": ({"aws_authorized_keys": []}, "nobody could log in"),
    "no way in": ({"aws_jump_group": "app"}, "app1 has no public address"),
    "operators without the way in": ({"firewall_operator_networks": ["203.0.113.0/24"]}, 'add "10.0.0.0/16"'),
    "no image": ({"aws_image": ""}, "aws_image is empty"),
    "image of elsewhere": ({"aws_image": "ami-0123456789abcdef0"}, "does not exist in eu-central-1"),
    "image of Ubuntu": ({"aws_image": UBUNTU}, "only Debian 13 is supported"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_work(account: Account, name: str) -> None:
    more, words = SETTINGS[name]
    with pytest.raises(OperatorError) as refused:
        account.plan(account.environment(**more))
    assert words in str(refused.value)
    assert account.faults.writes == []


def test_no_credentials(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(OperatorError, match="no credentials for AWS: set AWS_PROFILE"):
        planned(Cloud(REGION), account.environment(TINY), ROLES, GROUPS)


def test_another_region(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(
        OperatorError, match="names the region us-east-1, and the setting aws_region names eu-central-1"
    ):
        planned(Cloud(REGION), account.environment(TINY), ROLES, GROUPS)


def test_an_unknown_region(account: Account) -> None:
    with pytest.raises(OperatorError, match='no such region; did you mean "eu-central-1"'):
        planned(Cloud("eu-centrl-1"), account.environment(TINY), ROLES, GROUPS)


def test_losses_are_refused(account: Account) -> None:
    """One world, and plans that would end what it cannot spare."""
    account.provision(account.environment())
    account.faults.requests.clear()
    for change, words in LOSSES.items():
        hosts, more = PLANS[change]
        with pytest.raises(OperatorError) as refused:
            account.plan(account.environment(hosts, **more))
        assert words in str(refused.value), change
    assert account.faults.writes == []


def _without(*names: str) -> dict[str, str]:
    return {name: groups for name, groups in HOSTS.items() if name not in names}


PLANS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "delete a store": (_without("data3"), {}),
    "delete the last stores": (_without("data1", "data2", "data3"), {}),
    "replace a store": (HOSTS, {"aws_generation": 2}),
    "delete a majority": (_without("app2", "app3"), {}),
    "shrink a volume": (HOSTS, {"aws_volume_gibibytes": 10}),
    "move a volume": (HOSTS, {"aws_zone": "b"}),
}
LOSSES = {
    "delete a store": "this would delete data3 (i-",
    "delete the last stores": "which holds data of etcd, postgresql, redis, rabbitmq",
    "replace a store": "undo the change of aws_generation",
    "delete a majority": "leaves 1 of 3 swarm managers",
    "shrink a volume": "a volume never shrinks: plan at least 50 GiB",
    "move a volume": 'set aws_zone = "a" for the host',
}


def test_a_host_leaves_with_its_volume_at_a_word(account: Account) -> None:
    account.provision(account.environment(SMALL))
    emptied = account.environment({**SMALL, "data1": "data"})
    assert any("volume data1/etcd" in note for note in account.plan(emptied).notes)
    account.provision(emptied)
    left = account.environment({name: of for name, of in SMALL.items() if name != "data1"})
    with pytest.raises(OperatorError, match=r"this would delete data1 .* volume data1/etcd .*: add --data volumes=yes"):
        account.plan(left)
    account.provision(left, volumes=True)
    assert look(account.cloud(), left).of("volume") == {}


def test_two_of_a_name(account: Account) -> None:
    env = account.environment(TINY)
    account.provision(env)
    world = look(account.cloud(), env)
    tags = [{"Key": key, "Value": value} for key, value in world.of("address")["edge1"].tags.items()]
    answer = account.raw("ec2").allocate_address(
        Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}]
    )
    with pytest.raises(OperatorError) as refused:
        account.plan(env)
    assert "address edge1 of test exists twice" in str(refused.value)
    assert answer["AllocationId"] in str(refused.value)
    assert world.of("address")["edge1"].id in str(refused.value)


def test_foreign_resources_are_left_alone(account: Account) -> None:
    env = account.environment(TINY)
    account.provision(env)
    world, ec2 = look(account.cloud(), env), account.raw("ec2")
    vpc, subnet = world.of("vpc")[""].id, world.of("subnet")["public-a"].id
    tags = [{"Key": "nexus-cos:environment", "Value": "other"}, {"Key": "nexus-cos:part", "Value": "edge1"}]
    spec = [{"ResourceType": "instance", "Tags": [*tags, {"Key": "Name", "Value": "test edge1"}]}]
    [theirs] = ec2.run_instances(ImageId=UBUNTU, MinCount=1, MaxCount=1, SubnetId=subnet, TagSpecifications=spec)[
        "Instances"
    ]
    group = ec2.create_security_group(GroupName="nexus-cos-test-edge-2", Description="theirs", VpcId=vpc)["GroupId"]
    disk = ec2.create_volume(
        AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}]
    )["VolumeId"]
    before = _theirs(account, theirs["InstanceId"], group, disk)
    plan = account.plan(env)
    assert plan.steps == []
    notes = "\n".join(plan.notes)
    assert f"not ours, left as it is: instance {theirs['InstanceId']} (test edge1)" in notes
    assert f"not ours, left as it is: security group {group} (nexus-cos-test-edge-2)" in notes
    account.provision(account.environment({**TINY, "app1": "app"}))
    [untagged] = ec2.run_instances(ImageId=UBUNTU, MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"]
    with pytest.raises(OperatorError, match=f"in the VPC that would be deleted.*instance {untagged['InstanceId']}"):
        account.destroy(env)
    assert _theirs(account, theirs["InstanceId"], group, disk) == before


def _theirs(account: Account, instance: str, group: str, disk: str) -> list[Any]:
    ec2 = account.raw("ec2")
    return [
        ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"],
        ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"],
        ec2.describe_volumes(VolumeIds=[disk])["Volumes"],
    ]


def test_a_bucket_of_others_is_refused(account: Account) -> None:
    account.raw("s3").create_bucket(Bucket=account.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    account.raw("s3").put_bucket_tagging(Bucket=account.bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "x"}]})
    with pytest.raises(OperatorError, match="exists, and it is not of test by its tags: set another aws_bucket"):
        account.plan(account.environment(TINY))

"""A cloud for tests: accounts of moto's server behind the fault proxy, and environments in them.

Tests get an account of it by the fixture `account`. A conftest.py or test file imports both fixtures of this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import SystemRandom
from typing import Any

import boto3
import pytest

from nexus.environment.environment import Environment
from nexus.provider.aws.bucket import MANIFEST
from nexus.provider.aws.client import ENDED, Cloud
from nexus.provider.aws.model import Found
from nexus.provider.aws.provider import emptied, look, planned
from nexus.provider.aws.security_group import IN, OUT
from nexus.provider.protocol import Plan
from roles.table import ROLES
from tests.plan.aws_faults import ACCOUNT, Faults, Proxy
from tests.plan.aws_server import IMAGE, REGION, moto, use
from tests.plan.environments import environment

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJyK0000000000000000000000000000000000000000 operator"
GROUPS = ["edge", "app", "data", "ops", "etcd", "postgresql", "redis", "rabbitmq", "mongodb", "storage"]
HOSTS = {
    "edge1": "edge", "app1": "app", "app2": "app", "app3": "app", "data1": "data etcd postgresql redis rabbitmq",
    "data2": "data etcd postgresql redis rabbitmq", "data3": "data etcd postgresql redis rabbitmq", "ops1": "ops",
}  # fmt: skip
SETTINGS: Mapping[str, Any] = {
    "provider": "aws", "aws_image": IMAGE, "aws_authorized_keys": [KEY], "domain": "nexus.test",
}  # fmt: skip


@pytest.fixture(scope="session", name="cloud_server")
def cloud_server_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Moto's server for all tests of one process."""
    with moto(tmp_path_factory.mktemp("moto")) as proxy:
        yield proxy


@pytest.fixture(name="account")
def account_(cloud_server: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An empty account of AWS, and a directory of what a checkout knows of it."""
    use(cloud_server, tmp_path, monkeypatch)
    return Account(cloud_server, tmp_path)


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@cache
def _cloud(url: str) -> Cloud:
    clock = Clock()
    return Cloud(REGION, clock=clock, sleep=clock.sleep)


@cache
def _raw(service: str, proxy: Proxy) -> Any:
    client = boto3.client(service, region_name=REGION, endpoint_url=f"http://127.0.0.1:{proxy.behind}")
    client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(ACCOUNT, proxy.account))
    return client


class Account:
    """One account behind the proxy."""

    def __init__(self, proxy: Proxy, directory: Path) -> None:
        self.proxy, self.directory = proxy, directory
        self.keys: dict[str, str] = {}  # public keys of hosts, where a test needs them
        self.empty()

    def empty(self) -> None:
        """Use another account, in which there is nothing."""
        self.number = str(SystemRandom().randrange(10**11, 10**12))
        self.bucket = f"nexus-cos-{self.number}"
        self.enter()

    def enter(self) -> None:
        """Let the proxy speak for this account, without faults."""
        self.proxy.account, self.proxy.faults = self.number, Faults()

    @property
    def faults(self) -> Faults:
        return self.proxy.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.proxy.faults = faults

    def cloud(self) -> Cloud:
        """The cloud as the project sees it; to load the models of its services takes longer than most tests."""
        return _cloud(self.proxy.url)

    def raw(self, service: str) -> Any:
        """A client of boto3, past the proxy."""
        return _raw(service, self.proxy)

    def environment(self, hosts: dict[str, str] | None = None, **more: Any) -> Environment:
        return environment(self.directory, hosts or HOSTS, **{"aws_bucket": self.bucket, **SETTINGS, **more})

    def plan(self, env: Environment, cloud: Cloud | None = None, volumes: bool = False) -> Plan:
        return planned(cloud or self.cloud(), env, ROLES, GROUPS, volumes)

    def provision(self, env: Environment, volumes: bool = False) -> int:
        """Plan and carry out; the number of steps."""
        plan = self.plan(env, volumes=volumes)
        for step in plan.steps:
            step.do()
        return len(plan.steps)

    def destroy(self, env: Environment, volumes: bool = True) -> int:
        plan = emptied(self.cloud(), env, volumes)
        for step in plan.steps:
            step.do()
        return len(plan.steps)

    def state(self, env: Environment) -> dict[str, Any]:
        """Everything of an environment with names in place of ids, to compare two accounts."""
        world = look(self.cloud(), env)
        names = {each.id: str(ref) for ref, each in world.found.items()}
        found = {str(ref): _named(each, names) for ref, each in world.found.items() if ref.kind != "ip"}
        return {name.replace(self.bucket, "B"): text.replace(self.bucket, "B") for name, text in found.items()}

    def tagged(self, environment: str) -> list[str]:
        """Resources with the environment's tag, without those that AWS shows for an hour after their end."""
        pages = self.raw("resourcegroupstaggingapi").get_paginator("get_resources")
        filters = [{"Key": "nexus-cos:environment", "Values": [environment]}]
        found = [
            one["ResourceARN"] for page in pages.paginate(TagFilters=filters) for one in page["ResourceTagMappingList"]
        ]
        gone = [each["NatGatewayId"] for each in self.raw("ec2").describe_nat_gateways()["NatGateways"]]
        live = [each["InstanceId"] for each in self.instances()]
        return [arn for arn in found if (name := arn.split("/")[-1]) not in gone and (name[:2] != "i-" or name in live)]

    def instances(self) -> list[dict[str, Any]]:
        """All instances that have not ended."""
        answer = self.raw("ec2").describe_instances()["Reservations"]
        found = [each for reservation in answer for each in reservation["Instances"]]
        return [each for each in found if each["State"]["Name"] not in ENDED]

    def count(self) -> dict[str, int]:
        """Numbers of everything in the account, also without tags, except for what AWS makes itself."""
        ec2 = self.raw("ec2")
        return {
            "instance": len(self.instances()),
            "vpc": len([each for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]]),
            "subnet": len([each for each in ec2.describe_subnets()["Subnets"] if not each["DefaultForAz"]]),
            "gateway": len(ec2.describe_internet_gateways()["InternetGateways"]),
            "nat": len([each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"]),
            "table": len(ec2.describe_route_tables()["RouteTables"]),
            "group": len(ec2.describe_security_groups()["SecurityGroups"]),
            "volume": len([each for each in ec2.describe_volumes()["Volumes"] if each["Size"] != 40]),
            "address": len(ec2.describe_addresses()["Addresses"]),
            "role": len(self.raw("iam").list_roles()["Roles"]),
            "profile": len(self.raw("iam").list_instance_profiles()["InstanceProfiles"]),
            "bucket": len(self.raw("s3").list_buckets()["Buckets"]),
            "zone": len(self.raw("route53").list_hosted_zones()["HostedZones"]),
        }


VARIES = {"association", "private_ip", "public_ip", "ip"}


def _named(found: Found, names: dict[str, str]) -> Any:
    facts = {name: value for name, value in found.facts.items() if name not in VARIES}
    if "subnets" in facts:
        facts["subnets"] = sorted(names[each] for each in facts["subnets"])
    for way in {IN, OUT} & facts.keys():
        rules = [
            (rule.protocol, rule.first, rule.last, names.get(rule.other, rule.other), rule.why) for rule in facts[way]
        ]
        facts[way] = sorted(rules)
    tags = {name: value for name, value in found.tags.items() if name not in ("nexus-cos:host-key", MANIFEST)}
    text = json.dumps([facts, tags], sort_keys=True)
    for identity, name in names.items():
        text = text.replace(identity, name)
    return text if found.ref.kind != "zone" else str(sorted(found.facts["records"]))

"""Provider aws: what is made, that a second run makes nothing, and that nothing is left after the end."""

from __future__ import annotations

import pytest
import yaml
from botocore.exceptions import ClientError

from nexus.error import OperatorError
from nexus.provider.aws import access, inventory
from nexus.provider.aws.model import resolved
from nexus.provider.aws.provider import _finish, look
from nexus.provider.aws.user_data import user_data
from nexus.provider.aws.volume import volume
from tests.plan.aws_cloud import GROUPS, HOSTS, Account
from tests.plan.aws_faults import Faults, Proxy
from tests.plan.aws_server import IMAGE, REGION, use
from tests.plan.aws_worlds import SMALL

READS_MAX = 14


@pytest.fixture(scope="module")
def made(cloud_server: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """A whole environment, for tests that only look."""
    directory = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        use(cloud_server, directory, patch)
        account = Account(cloud_server, directory)
        account.keys = {name: access.host_key("test", name, 1)[1] for name in HOSTS}
        account.provision(account.environment())
    return account


@pytest.fixture
def whole(made: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    use(made.proxy, made.directory, monkeypatch)
    made.enter()
    return made


def test_a_second_run_writes_nothing(whole: Account) -> None:
    plan = whole.plan(whole.environment())
    assert [step.what for step in plan.steps] == []
    assert whole.faults.writes == []
    assert len(whole.faults.reads) <= READS_MAX
    assert len(whole.instances()) == 8


def test_hosts_are_as_planned(whole: Account) -> None:
    env = whole.environment()
    world = look(whole.cloud(), env)
    for found in world.of("instance").values():
        assert found.facts["metadata"] == ("required", 1)
        assert found.facts["image"] == IMAGE
        assert len(found.facts["groups"]) == 1
    zones = [world.of("volume")[f"data{number}/postgresql"].facts["zone"] for number in (1, 2, 3)]
    assert zones == [f"{REGION}a", f"{REGION}b", f"{REGION}c"]
    assert all(found.facts["encrypted"] for found in world.of("volume").values())
    assert len(world.of("subnet")) == 9
    records = world.of("zone")[""].facts["records"]
    assert records == {name: [world.of("address")["edge1"].facts["ip"]] for name in ("nexus.test.", "*.nexus.test.")}


def test_the_bucket_is_closed(account: Account) -> None:
    account.provision(account.environment(SMALL))
    s3 = account.raw("s3")
    assert s3.get_bucket_versioning(Bucket=account.bucket)["Status"] == "Enabled"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=account.bucket)["Policy"]
    assert all(s3.get_public_access_block(Bucket=account.bucket)["PublicAccessBlockConfiguration"].values())
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=account.bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 35
    with pytest.raises(ClientError, match="Forbidden"):
        s3.put_object(Bucket=account.bucket, Key="redis/1", Body=b"without TLS")


def test_a_dry_run_names_the_costs(account: Account) -> None:
    notes = account.plan(account.environment(aws_instance_type="m6i.large")).notes
    assert any("8 x m6i.large x 730 h: 671.60 USD" in note for note in notes)
    assert any("600 GiB of volumes of stores" in note for note in notes)
    assert any("by prices of 2026-" in note for note in notes)


def test_a_stopped_instance_is_started(account: Account) -> None:
    env = account.environment(SMALL)
    account.provision(env)
    before = {each["InstanceId"] for each in account.instances()}
    account.raw("ec2").stop_instances(InstanceIds=sorted(before))
    assert {step.what.split()[0] for step in account.plan(env).steps} == {"Start"}
    account.provision(env)
    assert {each["InstanceId"] for each in account.instances()} == before


def test_a_lost_host_gets_its_volume_back(account: Account) -> None:
    env = account.environment(SMALL)
    account.provision(env)
    world = look(account.cloud(), env)
    disk = world.of("volume")["data1/postgresql"].id
    account.raw("ec2").terminate_instances(InstanceIds=[world.of("instance")["data1"].id])
    account.provision(env)
    world = look(account.cloud(), env)
    found = world.of("volume")["data1/postgresql"]
    assert (found.id, found.facts["instance"]) == (disk, world.of("instance")["data1"].id)
    assert world.of("instance")["data1"].tags["nexus-cos:generation"] == "2"
    assert account.plan(env).steps == []


def test_an_edit_adds_a_host(account: Account) -> None:
    account.provision(account.environment(SMALL))
    before = {each["InstanceId"] for each in account.instances()}
    account.provision(account.environment({**SMALL, "app2": "app"}))
    after = {each["InstanceId"] for each in account.instances()}
    assert before < after
    assert len(after) == 4


def test_nothing_is_left_after_the_end(account: Account) -> None:
    env = account.environment(SMALL)
    before = account.count()
    account.provision(env)
    account.raw("s3").delete_bucket_policy(Bucket=account.bucket)  # tests have no TLS
    account.raw("s3").put_object(Bucket=account.bucket, Key="redis/1", Body=b"1")
    account.raw("s3").put_object(Bucket=account.bucket, Key="redis/1", Body=b"2")
    with pytest.raises(OperatorError, match=r"volume data1/etcd \(vol-.*add --data volumes=yes"):
        account.destroy(env, volumes=False)
    assert len(account.instances()) == 3
    account.destroy(env)
    assert account.tagged("test") == []
    assert account.count() == before
    assert account.destroy(env) == 0


def test_it_can_be_made_again(account: Account) -> None:
    env = account.environment(SMALL)
    for _ in range(2):
        account.provision(env)
        assert len(account.instances()) == 3
        account.destroy(env)


def test_tags_tell_the_same_inventory(whole: Account) -> None:
    whole.faults = Faults()
    found = inventory.groups("test", REGION)
    assert len(whole.faults.requests) <= 2
    assert list(found) == GROUPS
    assert {group: [name for name, _ in hosts] for group, hosts in found.items()} == {
        group: [name for name, of in HOSTS.items() if group in of.split()] for group in GROUPS
    }
    assert found == inventory.groups(
        "test", REGION, {g: [n for n, o in HOSTS.items() if g in o.split()] for g in GROUPS}
    )


def test_connections_are_verified(whole: Account) -> None:
    [(_, edge)] = inventory.groups("test", REGION)["edge"]
    known = (access.directory("test") / "known_hosts").read_text()
    config = (access.directory("test") / "ssh_config").read_text()
    for name, key in whole.keys.items():
        assert f"{name}," in known
        assert key.split()[1] in known
    assert f"ProxyJump deploy@{edge['ssh_hostname']}" in config
    assert edge["ssh_strict_host_key_checking"] == "yes"
    assert edge["ssh_hostname"] != edge["address"]


def test_a_cloud_that_is_away_leaves_the_last_inventory(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.provision(account.environment(SMALL))
    known = inventory.groups("test", REGION)
    said: list[str] = []
    monkeypatch.setattr("nexus.console.say", said.append)
    monkeypatch.setattr(inventory, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert inventory.groups("test", REGION) == known
    assert len(said) == 1
    assert "as last known, since the cloud does not answer" in said[0]
    assert (
        inventory.groups("other", REGION, {"app": ["app1"]})["app"][0][1]["ssh_hostname"]
        == "app1.not-provisioned.invalid"
    )


def test_private_host_keys_are_not_kept(account: Account) -> None:
    env = account.environment(SMALL)
    account.provision(env)
    assert list((access.directory("test") / "host_keys").glob("*"))
    _finish(account.cloud(), env)
    assert not list((access.directory("test") / "host_keys").glob("*"))
    assert account.plan(env).steps == []


def test_the_first_start_mounts_volumes_and_has_the_key() -> None:
    key = ("-----BEGIN\nsecret\n", "ssh-ed25519 AAAA host")
    disk = volume("data1", "redis")
    text = resolved(
        user_data("data1", "deploy", ["ssh-ed25519 BBBB me"], key, {"/var/lib/redis": disk}), {disk: "vol-12"}
    )
    found = yaml.safe_load(text)
    assert found["ssh_keys"]["ed25519_private"] == key[0]
    assert found["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 BBBB me"]
    assert "chattr +i /var/lib/redis" in found["runcmd"][0]
    assert "$(echo vol-12 | tr -d -) /var/lib/redis ext4" in found["runcmd"][1]
    assert len(text) < 16384


def test_without_nat_every_host_is_public(account: Account) -> None:
    env = account.environment(SMALL, aws_nat_gateways=0)
    account.provision(env)
    world = look(account.cloud(), env)
    assert not world.of("NAT gateway")
    assert account.plan(env).steps == []


def test_nat_gateways_come_and_go(account: Account) -> None:
    for number in (1, 3, 0):
        env = account.environment(SMALL, aws_nat_gateways=number, aws_dns=False, aws_bucket="")
        account.provision(env)
        assert len(look(account.cloud(), env).of("NAT gateway")) == number
        assert account.plan(env).steps == []

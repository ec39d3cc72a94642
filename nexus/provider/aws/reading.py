"""Reading the world: one question for each kind of resource, by our VPC or by the environment's tag."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws import bucket, dns, profile
from nexus.provider.aws.client import ENDED, Cloud
from nexus.provider.aws.instance import GENERATION, INSTANCE_KIND
from nexus.provider.aws.kind import IN_VPC, KEYED, TAGGED, VPC, Kind, Question
from nexus.provider.aws.model import ENVIRONMENT, PART, AwsError, Found, Ref, World, tags_of
from nexus.provider.aws.network import GATEWAY_KIND, SUBNET_KIND, VPC_KIND
from nexus.provider.aws.route import ADDRESS_KIND, NAT_KIND, TABLE_KIND, ip
from nexus.provider.aws.security_group import GROUP_KIND
from nexus.provider.aws.volume import VOLUME_KIND

EC2_KINDS = (
    VPC_KIND, GATEWAY_KIND, SUBNET_KIND, ADDRESS_KIND, NAT_KIND, TABLE_KIND, GROUP_KIND, VOLUME_KIND, INSTANCE_KIND,
)  # fmt: skip


def reading(cloud: Cloud, environment: str, domain: str, bucket_name: str, to_the_end: bool = False) -> World:
    """Return what there is of an environment; `to_the_end`: with all that has to go before it can be removed.

    AwsError for two resources with the same name, and for a bucket or profile of this name that is not ours.
    """
    world = World()
    for kind in EC2_KINDS:
        _read(cloud, environment, kind, world)
    _derive(world)
    if to_the_end:
        _others(cloud, world)
    for found in (
        _profile(cloud, environment) if bucket_name else None,
        _bucket(cloud, environment, bucket_name, to_the_end) if bucket_name else None,
        _zone(cloud, environment, domain, world),
    ):
        if found:
            world.found[found.ref] = found
    return world


def _read(cloud: Cloud, environment: str, kind: Kind, world: World) -> None:
    question = kind.question
    assert question
    if question.by == IN_VPC and VPC not in world.found:
        return  # it would be in there
    asked = {
        IN_VPC: ("vpc-id", world.known.get(VPC, "")),
        TAGGED: (f"tag:{ENVIRONMENT}", environment),
        KEYED: ("tag-key", ENVIRONMENT),
    }[question.by]
    for identity, tags, facts, own_name in question.found(_described(cloud, question, *asked)):
        _add(world, environment, kind.name, identity, tags, facts, own_name)


def _described(cloud: Cloud, question: Question, name: str, value: str) -> Any:
    parameter = "Filter" if question.operation == "describe_nat_gateways" else "Filters"
    return cloud.ask("ec2", question.operation, {parameter: [{"Name": name, "Values": [value]}]})


def _others(cloud: Cloud, world: World) -> None:
    """Add instances in our VPC that have no tag of any environment."""
    question = INSTANCE_KIND.question
    if question and VPC in world.found:
        for identity, tags, facts, name in question.found(_described(cloud, question, "vpc-id", world.known[VPC])):
            if ENVIRONMENT not in tags and facts["state"] not in ENDED:
                world.foreign.append(f"instance {identity}" + (f" ({name})" if name else ""))


def _add(
    world: World, environment: str, kind: str, identity: str, tags: dict[str, str], facts: dict[str, Any], name: str
) -> None:
    """Add a resource to the world: ours by its tags, or a foreign one."""
    part = tags.get(PART, "")
    if facts.get("state") in ENDED:
        if tags.get(ENVIRONMENT) == environment:
            generation = int(tags.get(GENERATION) or 1)
            world.generations[part] = max(world.generations.get(part, 0), generation)
        return
    if tags.get(ENVIRONMENT) != environment or not part:
        if facts.get("vpc", world.known.get(VPC)) != world.known.get(VPC):
            return  # of another environment, in a VPC of its own
        world.foreign.append(f"{kind} {identity}" + (f" ({name})" if name else ""))
        return
    ref = Ref(kind, "" if part == kind else part)
    if ref in world.found:
        raise AwsError(
            f"{ref} of {environment} exists twice, as {world.found[ref].id} and {identity}: delete the one that is not "
            f"used, or take its tag {ENVIRONMENT} away"
        )
    world.found[ref] = Found(ref, identity, facts, tags)


def _derive(world: World) -> None:
    """Add what EC2 tells as a part of something else: rules, attachments, numbers of addresses."""
    for name, found in world.of("security group").items():
        world.found[Ref("rules", name)] = Found(Ref("rules", name), found.id, found.facts)
    for name, found in world.of("volume").items():
        if found.facts["instance"]:
            world.found[Ref("attachment", name)] = Found(Ref("attachment", name), found.id, found.facts)
    for name, found in world.of("address").items():
        world.found[ip(name)] = Found(ip(name), found.facts["ip"], {})
        if found.facts["instance"]:
            world.found[Ref("association", name)] = Found(Ref("association", name), found.id, found.facts)


def _profile(cloud: Cloud, environment: str) -> Found | None:
    name = profile.name_of(environment)
    known = cloud.ask("iam", "get_instance_profile", {"InstanceProfileName": name})
    policy = cloud.ask("iam", "get_role_policy", {"RoleName": name, "PolicyName": profile.POLICY})
    role: Mapping[str, Any] | None = {}
    if not known or not policy:  # the policy proves the role, and the profile whose it is
        role = cloud.ask("iam", "get_role", {"RoleName": name})
    tagged = known["InstanceProfile"] if known else role["Role"] if role else None
    if tagged is None:
        return None
    if tags_of(tagged).get(ENVIRONMENT) != environment:
        raise AwsError(f"IAM has {name}, and it is not of {environment} by its tags: rename or remove it")
    return Found(profile.PROFILE, name, profile.found_profile(known, policy, role))


def _bucket(cloud: Cloud, environment: str, name: str, with_objects: bool) -> Found | None:
    answer = cloud.ask("s3", "get_bucket_tagging", {"Bucket": name})
    tags = tags_of(answer, "TagSet") if answer else {}
    if answer and tags.get(ENVIRONMENT) != environment:
        raise AwsError(f"the bucket {name} exists, and it is not of {environment} by its tags: set another aws_bucket")
    if not answer:
        return None
    objects = list(_objects(cloud, name)) if with_objects else []
    return Found(bucket.bucket(name), name, {"objects": objects}, tags)


def _objects(cloud: Cloud, name: str) -> Iterator[dict[str, str]]:
    answer = cloud.ask("s3", "list_object_versions", {"Bucket": name}) or {}
    for each in [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]:
        yield {"Key": each["Key"], "VersionId": each["VersionId"]}


def _zone(cloud: Cloud, environment: str, domain: str, world: World) -> Found | None:
    answer = cloud.ask("route53", "list_hosted_zones_by_name", {"DNSName": domain})
    named = [zone for zone in answer["HostedZones"] if zone["Name"] == f"{domain}."]
    mark = dns.MARK.format(environment)
    ours = [zone for zone in named if zone["CallerReference"].startswith(mark)]
    world.foreign += [f"zone {zone['Id']} ({domain})" for zone in named if zone not in ours]
    if len(ours) > 1:
        raise AwsError(
            f"zone {domain} of {environment} exists twice, as {ours[0]['Id']} and {ours[1]['Id']}: delete one"
        )
    if not ours:
        return None
    sets = cloud.ask("route53", "list_resource_record_sets", {"HostedZoneId": ours[0]["Id"]})
    records, others = dns.found_records(sets["ResourceRecordSets"])
    return Found(
        dns.ZONE, ours[0]["Id"].removeprefix("/hostedzone/"), {"domain": domain, "records": records, "others": others}
    )

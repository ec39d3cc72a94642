"""The instance profile: what hosts may do in the account without a key. It opens the bucket of backups alone."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import Kind
from nexus.provider.aws.model import Call, Found, Item, Ref, World, tag_list

POLICY = "bucket"  # name of the role's only policy
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PROFILE = Ref("instance profile", "")
ROLE_EXISTS, PROFILE_EXISTS, HAS_ROLE, DOCUMENT = "role", "profile", "has role", "document"


def name_of(environment: str) -> str:
    """Return the name of the role and of its profile, which are the account's own names."""
    return f"nexus-cos-{environment}"


def document(bucket: str, prefixes: list[str]) -> dict[str, Any]:
    """Return the policy: objects below these prefixes, and nothing else."""
    arn = f"arn:aws:s3:::{bucket}"
    below = [f"{prefix}/*" for prefix in prefixes]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": [f"{arn}/{each}" for each in below],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [arn],
                "Condition": {"StringLike": {"s3:prefix": below}},
            },
        ],
    }


def _create(item: Item, world: World) -> Iterator[Call]:
    nothing: dict[str, Any] = {ROLE_EXISTS: False, PROFILE_EXISTS: False, HAS_ROLE: False, DOCUMENT: None}
    yield from _change(item, Found(item.ref, "", nothing), World())


def _change(item: Item, found: Found, world: World) -> Iterator[Call]:
    name, tags = item.facts["name"], tag_list(item.tags)
    if not found.facts[ROLE_EXISTS]:
        parameters = {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(TRUST), "Tags": tags}
        yield Call("iam", "create_role", parameters, f"Create role {name}")
    if found.facts[DOCUMENT] != item.facts[DOCUMENT]:
        parameters = {"RoleName": name, "PolicyName": POLICY, "PolicyDocument": json.dumps(item.facts[DOCUMENT])}
        yield Call("iam", "put_role_policy", parameters, f"Let role {name} use the bucket of backups alone")
    if not found.facts[PROFILE_EXISTS]:
        parameters = {"InstanceProfileName": name, "Tags": tags}
        yield Call("iam", "create_instance_profile", parameters, f"Create instance profile {name}")
    if not found.facts[HAS_ROLE]:
        parameters = {"InstanceProfileName": name, "RoleName": name}
        yield Call("iam", "add_role_to_instance_profile", parameters, f"Give instance profile {name} its role")


def _remove(found: Found) -> Iterator[Call]:
    name, facts = found.id, found.facts
    profile, role = {"InstanceProfileName": name}, {"RoleName": name}
    if facts[HAS_ROLE]:
        words = f"Take the role from instance profile {name}"
        yield Call("iam", "remove_role_from_instance_profile", {**profile, **role}, words, gone_is_done=True)
    if facts[PROFILE_EXISTS]:
        words = f"Delete instance profile {name}"
        yield Call("iam", "delete_instance_profile", profile, words, gone_is_done=True)
    if facts[DOCUMENT]:
        words = f"Delete the policy of role {name}"
        yield Call("iam", "delete_role_policy", {**role, "PolicyName": POLICY}, words, gone_is_done=True)
    if facts[ROLE_EXISTS]:
        yield Call("iam", "delete_role", role, f"Delete role {name}", gone_is_done=True)


PROFILE_KIND = Kind("instance profile", _create, _change, _remove, tagged=False)


def found_profile(
    profile: Mapping[str, Any] | None, policy: Mapping[str, Any] | None, role: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the facts of a profile from the answers of IAM; None for what does not exist."""
    return {
        PROFILE_EXISTS: profile is not None,
        HAS_ROLE: bool(profile and profile["InstanceProfile"]["Roles"]),
        DOCUMENT: policy["PolicyDocument"] if policy else None,
        ROLE_EXISTS: role is not None,
    }

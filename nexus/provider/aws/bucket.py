"""The bucket of backups: versioned, closed to the public, reached over TLS alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import Kind
from nexus.provider.aws.model import Call, Found, Item, Ref, World, tag_list

MANIFEST = "nexus-cos:manifest"  # hash of the settings that the bucket has, written after the last of them
BATCH = 1000  # objects that one call deletes


def bucket(name: str) -> Ref:
    """Return a bucket, by the name that all of AWS knows it by."""
    return Ref("bucket", name)


def settings(name: str, days: int) -> dict[str, dict[str, Any]]:
    """Return {operation: its parameters} of all settings of a bucket."""
    arn = f"arn:aws:s3:::{name}"
    tls = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    rule = {
        "ID": "former-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    return {
        "put_public_access_block": {"PublicAccessBlockConfiguration": dict.fromkeys(closed, True)},
        "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
        "put_bucket_policy": {"Policy": json.dumps(tls)},
        "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [rule]}},
    }


WORDS = {
    "put_public_access_block": "Close {} to the public",
    "put_bucket_versioning": "Keep former versions in {}",
    "put_bucket_policy": "Refuse access to {} without TLS",
    "put_bucket_lifecycle_configuration": "Limit the age of former versions in {}",
}


def manifest(facts: Mapping[str, Any]) -> str:
    """Return the hash of the settings of a bucket."""
    return hashlib.sha256(json.dumps(facts["settings"], sort_keys=True).encode()).hexdigest()[:16]


def _create(item: Item, world: World) -> Iterator[Call]:
    place: dict[str, Any] = {"Tags": tag_list(item.tags)}
    if item.facts["region"] != "us-east-1":  # S3 refuses its name
        place["LocationConstraint"] = item.facts["region"]
    parameters = {"Bucket": item.ref.name, "CreateBucketConfiguration": place}
    yield Call("s3", "create_bucket", parameters, f"Create {item.ref}")
    yield from _settings(item)


def _change(item: Item, found: Found, world: World) -> Iterator[Call]:
    if found.tags.get(MANIFEST) != manifest(item.facts):
        yield from _settings(item)


def _settings(item: Item) -> Iterator[Call]:
    name = item.ref.name
    for operation, parameters in item.facts["settings"].items():
        yield Call("s3", operation, {"Bucket": name, **parameters}, WORDS[operation].format(item.ref))
    tags = tag_list({**item.tags, MANIFEST: manifest(item.facts)})
    yield Call("s3", "put_bucket_tagging", {"Bucket": name, "Tagging": {"TagSet": tags}}, f"Tag {item.ref}")


def _remove(found: Found) -> Iterator[Call]:
    objects, name = found.facts["objects"], found.ref.name
    for start in range(0, len(objects), BATCH):
        batch = objects[start : start + BATCH]
        parameters = {"Bucket": name, "Delete": {"Objects": batch, "Quiet": True}}
        yield Call("s3", "delete_objects", parameters, f"Delete {len(batch)} versions of objects in {found.ref}")
    yield Call("s3", "delete_bucket", {"Bucket": name}, f"Delete {found.ref}", gone_is_done=True)


BUCKET_KIND = Kind("bucket", _create, _change, _remove, tagged=False)

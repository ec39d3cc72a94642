"""Signature version 4 of AWS, which every S3-compatible store understands."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

ALGORITHM, SERVICE = "AWS4-HMAC-SHA256", "s3"


def headers(
    access: Mapping[str, Any],
    host: str,
    method: str,
    path: str,
    words: str,
    digest: str,
    now: dt.datetime,
    own: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers of a request with its signature; `words` is the sorted query, `digest` the body's SHA-256.

    `own` are further headers, by lower-case name; they are signed too.
    """
    time_stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time_stamp[:8]}/{access['region']}/{SERVICE}/aws4_request"
    found = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": time_stamp, **(own or {})}
    names = ";".join(sorted(found))
    lines = "".join(f"{name}:{' '.join(found[name].split())}\n" for name in sorted(found))
    asked = hashlib.sha256("\n".join([method, path, words, lines, names, digest]).encode()).hexdigest()
    key = f"AWS4{access['secret']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, "\n".join([ALGORITHM, time_stamp, scope, asked]).encode(), hashlib.sha256).hexdigest()
    credential = f"{access['key']}/{scope}"
    signed = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**found, "Authorization": signed}

"""Runs on an edge host: files of front ends that clients asked for and did not get. Changes nothing."""

import collections
import json
import os
import re
from collections.abc import Mapping
from typing import Any

LOG_BYTES = 16 * 2**20  # how much of the newest access log is read, from its end
MESSAGE = re.compile(r"(?:GET|HEAD) (/(?:[\w-]+/)?(?:assets|static)/\S+)")


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, Any]:
    """{"size": of the access log, "lost": {path: 404 answers since the byte `since`}}; nothing is lost before -1."""
    path, since = context["log"], context["since"]
    size = os.path.getsize(path) if os.path.exists(path) else 0
    return {"size": size, "lost": _lost(path, since, size) if size and since >= 0 else {}}


def _lost(path: str, since: int, size: int) -> dict[str, int]:
    begin = max(since if since <= size else 0, size - LOG_BYTES)
    with open(path, "rb") as stream:
        stream.seek(begin)
        lines = stream.read().splitlines()
    found = collections.Counter[str]()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the first line may be cut off
        asked = MESSAGE.fullmatch(str(entry.get("message", "")))
        if asked and entry.get("statusCode") == 404:
            found[asked[1]] += 1
    return dict(found)

"""Runs on an edge host: counts the requests in its newest access log. Changes nothing."""

import collections
import json
import os
from typing import Any

LOG_BYTES = 64 * 2**20  # how much of the newest access log is read, from its end
MOST = 5


def access(context: dict[str, Any]) -> dict[str, Any]:
    """Requests in the newest access log, those answered 5xx and 4xx, and the services with the most 5xx answers."""
    path = context["access_log"]
    with open(path, "rb") as stream:
        stream.seek(max(0, os.path.getsize(path) - LOG_BYTES))
        lines = stream.read().splitlines()
    total, kinds, services = 0, collections.Counter[int](), collections.Counter[str]()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the first line may be cut off
        total += 1
        kinds[entry["statusCode"] // 100] += 1
        if entry["statusCode"] >= 500:
            services[entry["service"]] += 1
    return {"requests": total, "5xx": kinds[5], "4xx": kinds[4], "services": dict(services.most_common(MOST))}


PARTS = {"access": access}

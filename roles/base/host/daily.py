"""Runs on a host: its load, and its journal of the last day. Changes nothing."""

import collections
import json
import os
import re
from typing import Any

from nexus.agent.lib import run

REFUSED = re.compile(
    r"Failed \w+ for|Invalid user|authentication failure|maximum authentication attempts|incorrect password"
)
FROM = re.compile(r"from (\S+)|rhost=(\S+)")
MOST = 5


def load(context: dict[str, Any]) -> dict[str, float]:
    """Load in percent: of the processors over 15 minutes, of memory now."""
    with open("/proc/meminfo", errors="replace") as stream:
        memory = {line.split(":")[0]: int(line.split()[1]) for line in stream}
    share = 100 * os.getloadavg()[2] / (os.cpu_count() or 1)
    return {"cpu": share, "memory": 100 * (1 - memory["MemAvailable"] / memory["MemTotal"])}


def journal(*words: str) -> list[dict[str, Any]]:
    """Journal entries of the last day."""
    argv = ["journalctl", "--no-pager", "-q", "-o", "json", "--since", "-24h", *words]
    return [json.loads(line) for line in run(argv, timeout=60).splitlines() if line]


def errors(context: dict[str, Any]) -> dict[str, Any]:
    """The number of entries of priority error and worse, by unit, and how many were critical."""
    found = journal("-p", "err")
    units = collections.Counter(str(e.get("_SYSTEMD_UNIT") or e.get("SYSLOG_IDENTIFIER") or "kernel") for e in found)
    grave = sum(int(entry["PRIORITY"]) <= 2 for entry in found)
    return {"count": len(found), "critical": grave, "units": dict(units.most_common(MOST))}


def logins(context: dict[str, Any]) -> dict[str, Any]:
    """The number of refused logins over SSH and by sudo, by source address."""
    lines = [str(e.get("MESSAGE", "")) for e in journal("-t", "sshd", "-t", "sshd-session", "-t", "sudo", "-t", "su")]
    refused = [line for line in lines if REFUSED.search(line)]
    sources = [next(filter(None, found.groups())) for found in map(FROM.search, refused) if found]
    return {"count": len(refused), "sources": dict(collections.Counter(sources).most_common(MOST))}


PARTS = {"load": load, "errors": errors, "logins": logins}

"""Runs on a host: what the daily checks ask of it beside the status. Changes nothing, standard library alone."""

from __future__ import annotations

import collections
import json
import os
import re
from typing import Any

from roles.kit.agent.base import RemoteError, run

LOG_BYTES = 64 * 2**20  # of the newest access log, from its end
REFUSED = re.compile(
    r"Failed \w+ for|Invalid user|authentication failure|maximum authentication attempts|incorrect password"
)
FROM = re.compile(r"from (\S+)|rhost=(\S+)")
MOST = 5


def probe(names: list[str], context: dict[str, Any]) -> dict[str, Any]:
    """{part: answer} of the parts that were asked for; {"error": why} for one that could not be answered."""
    parts = {"load": load, "errors": errors, "logins": logins, "access": access, "record": record}
    found = {}
    for name in names:
        try:
            found[name] = parts[name](context)
        except (OSError, RemoteError, ValueError) as error:
            found[name] = {"error": str(error)}
    return found


def load(context: dict[str, Any]) -> dict[str, float]:
    """Shares in percent: of the processors over 15 minutes, of memory now."""
    with open("/proc/meminfo") as stream:
        memory = {line.split(":")[0]: int(line.split()[1]) for line in stream}
    share = 100 * os.getloadavg()[2] / (os.cpu_count() or 1)
    return {"cpu": share, "memory": 100 * (1 - memory["MemAvailable"] / memory["MemTotal"])}


def journal(*words: str) -> list[dict[str, Any]]:
    """Entries of the last day."""
    argv = ["journalctl", "--no-pager", "-q", "-o", "json", "--since", "-24h", *words]
    return [json.loads(line) for line in run(argv, timeout=60).splitlines() if line]


def errors(context: dict[str, Any]) -> dict[str, Any]:
    """Entries of priority error and worse by unit; how many were critical."""
    found = journal("-p", "err")
    units = collections.Counter(str(e.get("_SYSTEMD_UNIT") or e.get("SYSLOG_IDENTIFIER") or "kernel") for e in found)
    grave = sum(int(entry["PRIORITY"]) <= 2 for entry in found)
    return {"count": len(found), "critical": grave, "units": dict(units.most_common(MOST))}


def logins(context: dict[str, Any]) -> dict[str, Any]:
    """Refused log-ins over SSH and by sudo, by where they came from."""
    lines = [str(e.get("MESSAGE", "")) for e in journal("-t", "sshd", "-t", "sshd-session", "-t", "sudo", "-t", "su")]
    refused = [line for line in lines if REFUSED.search(line)]
    sources = [next(filter(None, found.groups())) for found in map(FROM.search, refused) if found]
    return {"count": len(refused), "sources": dict(collections.Counter(sources).most_common(MOST))}


def access(context: dict[str, Any]) -> dict[str, Any]:
    """Requests of the newest access log, those answered 5xx and 4xx, and who gave most of them."""
    path = context["access_log"]
    with open(path, "rb") as stream:
        stream.seek(max(0, os.path.getsize(path) - LOG_BYTES))
        lines = stream.read().splitlines()
    total, kinds, services = 0, collections.Counter[int](), collections.Counter[str]()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # cut in two at the beginning
        total += 1
        kinds[entry["statusCode"] // 100] += 1
        if entry["statusCode"] >= 500:
            services[entry["service"]] += 1
    return {"requests": total, "5xx": kinds[5], "4xx": kinds[4], "services": dict(services.most_common(MOST))}


def record(context: dict[str, Any]) -> dict[str, Any]:
    """How many lines the record of runs has, and when it was last written; nothing where there is none."""
    directory = context["record"]
    if not os.path.isdir(directory):
        return {}
    files = [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".jsonl")]
    lines = 0
    for path in files:
        with open(path, "rb") as stream:
            lines += sum(1 for _ in stream)
    return {"lines": lines, "at": max((os.path.getmtime(path) for path in files), default=0)}

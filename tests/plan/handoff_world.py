"""A platform whose hosts are as planned, as one observation, and ways in which they are not."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from runbooks.handoff.__main__ import environment
from runbooks.handoff.commit import Commit
from runbooks.handoff.facts import facts

COMMIT = Commit("0123456789abcdef0123456789abcdef01234567", 1_796_082_110)
AT, RUN = "2026-11-30T23:59:00Z", "lab-20261130T235900Z-4711"
Observation = dict[str, Any]


def lab(**settings: Any) -> Environment:
    """The lab's environment."""
    return environment("lab", settings)


def observation(env: Environment, commit: Commit = COMMIT) -> Observation:
    """What a run finds where all is as planned."""
    planned = facts(env)
    versions = {"nginx": "1.26.3-3", "openssh-server": "1:10.0p1-7"}
    digest = "sha256:" + "5" * 64
    rows = [
        ("hosts", "login", f"{len(env.hosts)} of {len(env.hosts)} answer", "all"),
        ("postgresql", "primary", "data1", "one"),
        ("postgresql", "data2", "synchronous, 0 B and 0 s behind", "at most 30 s behind"),
        ("redis", "persistent", "primary data3, named by 3 of 3 Sentinels", "2 agree"),
        ("rabbitmq", "nodes", "3 of 3 run", "all"),
        ("certificates", "edge1", "60 days left (nginx 443), prepared for 700 days", "21 days"),
        ("backup", "postgresql", "10 min ago", "within 60 min"),
        ("backup", "restore", "2 days ago", "within 7 days"),
        ("alerts", "firing", "none", "none"),
        ("disk", "data1 /", "40 % used, 60 GiB left", "at most 70 %"),
    ]
    return {
        "format": 1,
        "environment": env.name,
        "at": AT,
        "run": RUN,
        "commit": commit.name,
        "plan": "7" * 64,
        "kept": {},
        "planned": planned,
        "hosts": {
            name: {"system": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.57", "versions": versions, "unknown": ""}
            for name in planned["hosts"]
        },
        "services": {
            name: {"image": f"registry:5000/{name}:1.0.0@{digest}", "replicas": about["replicas"], "tasks": "all run"}
            for name, about in planned["services"].items()
        },
        "drift": [],
        "status": [
            {"area": area, "what": what, "value": value, "target": target, "advice": "", "missed": False}
            for area, what, value, target in rows
        ],
        "runs": [{"at": AT, "who": "ops", "purpose": "deploys/full.py", "changes": 3, "ended": True}],
    }


Edit = Callable[[Observation, random.Random], str]  # changes an observation; returns the words that must be named


def _drift(seen: Observation, chance: random.Random, item: str, before: str, after: str) -> str:
    host = chance.choice(sorted(seen["hosts"]))
    seen["drift"].append(
        {"host": host, "role": "base", "item": item, "how": "differs", "before": before, "after": after}
    )
    return item


def _fact(area: str, key: str, value: Any) -> Edit:
    def edit(seen: Observation, chance: random.Random) -> str:
        name = chance.choice(sorted(seen["planned"][area]))
        seen["planned"][area][name][key] = value
        return name

    return edit


def _service(key: str, value: Any) -> Edit:
    def edit(seen: Observation, chance: random.Random) -> str:
        name = chance.choice(sorted(seen["services"]))
        seen["services"][name][key] = value
        return name

    return edit


def _row(area: str, value: str) -> Edit:
    def edit(seen: Observation, chance: random.Random) -> str:
        row = chance.choice([row for row in seen["status"] if row["area"] == area])
        row.update(value=value, missed=True, advice="fix it")
        return value

    return edit


def _item(item: str, before: str, after: str) -> Edit:
    return lambda seen, chance: _drift(seen, chance, item, before, after)


def _remove(area: str) -> Edit:
    return lambda seen, chance: (name := chance.choice(sorted(seen[area])), seen[area].pop(name))[0]


def _version(seen: Observation, chance: random.Random) -> str:
    host = chance.choice(sorted(seen["hosts"]))
    seen["hosts"][host]["versions"] = {**seen["hosts"][host]["versions"], "nginx": "1.22.1-9"}
    return "1.22.1-9"


def _silent(seen: Observation, chance: random.Random) -> str:
    host = chance.choice(sorted(seen["hosts"]))
    seen["hosts"][host]["unknown"] = "could not be reached"
    return host


def _put(area: str, name: str, about: Any) -> Edit:
    def edit(seen: Observation, chance: random.Random) -> str:
        (seen["planned"] if area == "routes" else seen)[area][name] = about
        return name

    return edit


def _commit(seen: Observation, chance: random.Random) -> str:
    seen["commit"] = "fedcba9876543210"
    return "fedcba987654"


def _platform(seen: Observation, chance: random.Random) -> str:
    seen["planned"]["platform"]["version"] = "1.9.0"
    return "1.9.0"


def _store(seen: Observation, chance: random.Random) -> str:
    seen["planned"]["stores"]["redis"] = ["data1"]
    return "redis"


HOST = {"system": "", "kernel": "", "versions": {}, "unknown": ""}
EDITS: dict[str, Edit] = {
    "port of a service": _fact("services", "port", 3999),
    "planned replicas of a service": _fact("services", "replicas", 9),
    "stores of a service": _fact("services", "stores", ["mongodb"]),
    "dependencies of a service": _fact("services", "depends on", ["glitch"]),
    "address of a host": _fact("hosts", "address", "10.9.9.9"),
    "groups of a host": _fact("hosts", "groups", ["edge"]),
    "version of the platform": _platform,
    "hosts of a store": _store,
    "a route that is gone": _put("routes", "/api/old/", "any glitch"),
    "another commit": _commit,
    "a service more": _put("services", "stranger", {"image": "x", "replicas": 1, "tasks": "all run"}),
    "a service less": _remove("services"),
    "replicas that run": _service("replicas", 2),
    "tasks that do not run": _service("tasks", "1 of 3 runs"),
    "a host more": _put("hosts", "old1", HOST),
    "a host less": _remove("hosts"),
    "a silent host": _silent,
    "a version of a package": _version,
    "a changed file": _item("file /etc/nginx/nginx.conf", "0600", "0644"),
    "a stopped unit": _item("unit nginx.service", "stopped", "running"),
    "a removed package": _item("package nginx", "", "installed"),
    "an image of another digest": _item("service glitch", "image x@sha256:1", "image x@sha256:2"),
    "a closed port": _item("rules of the firewall", "443 closed", "443 open"),
    "a user by hand": _item("user mallory", "there", ""),
}
MISSED: dict[str, Edit] = {  # targets that hosts miss, which the pages name
    "a certificate that ends": _row("certificates", "3 days left"),
    "no primary": _row("postgresql", "none"),
    "a late backup": _row("backup", "9 days ago"),
    "an alert that fires": _row("alerts", "HostDown data2"),
    "a full disk": _row("disk", "97 % used"),
    "nodes that are down": _row("rabbitmq", "2 of 3 run"),
}


def edited(seen: Observation, name: str, chance: random.Random) -> tuple[Observation, str]:
    """An observation with one difference more, and the words that must be named."""
    changed = copy.deepcopy(seen)
    return changed, (EDITS | MISSED)[name](changed, chance)


def write(pages: dict[str, str], directory: Path) -> None:
    """Write pages below a directory."""
    for path, text in pages.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)

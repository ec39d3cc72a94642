"""The slice: a fixed part of a host's state that every way of the comparison can express.

43 directories and 86 rendered files from the catalogue, 10 packages, 8 units, 5 users and Nginx.
This module defines it; `plan` expresses it for the library, `peers/` express it for the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

DIRECTORY = "/etc/nexus-bench"
SITE = "/etc/nginx/conf.d/nexus-bench.conf"
UNIT = "/etc/systemd/system/nexus-bench@.service"

PACKAGES = (
    "ca-certificates",
    "cron",
    "curl",
    "jq",
    "logrotate",
    "lsof",
    "nginx",
    "prometheus-node-exporter",
    "python3-apt",  # Ansible's apt module needs it
    "rsync",
)
PACKAGED_UNITS = ("cron", "nginx", "prometheus-node-exporter")
BASE_PACKAGES = ("ca-certificates",)  # part of the base system: a reset of the slice leaves them

LEVELS = ("info", "debug")
LEVEL_VARIABLE = "NEXUS_BENCH_LEVEL"  # log level of the one service whose file a run changes


def services(catalogue: Iterable[Any], level: str) -> list[dict[str, Any]]:
    """The values that templates need of each service; a run changes the log level of the first."""
    found = [
        {
            "name": service.name,
            "port": service.port,
            "category": service.category,
            "replicas": service.replicas,
            "depends_on": list(service.depends_on),
            "stores": list(service.stores),
            "log_level": "info",
        }
        for service in catalogue
    ]
    found[0]["log_level"] = level
    return found


def running(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The five services that run as units here: the first of each category."""
    first: dict[str, str] = {}
    for service in found:
        first.setdefault(service["category"], service["name"])
    return list(first.values())


def users(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """An account for each category of services."""
    return sorted({f"nexus-{service['category']}" for service in found})


def register() -> None:
    """Replace the platform's roles with one role: this one, or the one in NEXUS_BENCH_ROLE.

    Only for the benchmark's inventory, whose hosts serve nothing else.
    """
    from nexus.run.role import Role
    from roles.table import ROLES

    name = os.environ.get("NEXUS_BENCH_ROLE") or "slice"
    ROLES.replace("benchmarks" if name == "slice" else "roles", {name: Role(("all",))})


def address(number: int) -> str:
    """Address of the host of this number, from 0, in the lab's network."""
    return f"10.213.{(100 + number) // 256}.{(100 + number) % 256}"


def level() -> str:
    """The log level that this run writes."""
    return os.environ.get(LEVEL_VARIABLE, LEVELS[0])

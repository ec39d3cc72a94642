"""Environments for tests: any hosts, throw-away secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host, Traits
from nexus.environment.settings import Settings, defaults
from nexus.secrets.store import Secrets
from roles.table import ROLES

LAB = {
    "edge1": "edge",
    "app1": "app",
    "app2": "app",
    "app3": "app",
    "data1": "etcd postgresql",
    "data2": "redis",
    "data3": "rabbitmq",
    "ops1": "ops",
}
WEAK = {"memory": False, "cpu": False}  # limits that cgroups of a lab host enforce
STRONG = {"memory": True, "cpu": True}


def environment(
    directory: Path,
    groups: dict[str, str] | None = None,
    docker: dict[str, bool] | None = None,
    without: str = "",
    **settings: Any,
) -> Environment:
    """An environment of these hosts ({name: groups}; default: the lab's) and settings, in a run without some hosts."""
    setting = Settings({**defaults(), **settings})
    traits = Traits(2, 8 << 30, 1400, 0, "x86_64", STRONG if docker is None else docker)
    hosts = tuple(
        Host(name, f"10.0.0.{number}", frozenset(of.split()) | {"all"}, setting, traits)
        for number, (name, of) in enumerate((LAB if groups is None else groups).items(), 1)
    )
    secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
    left_out = frozenset(filter(None, without.split(",")))
    return Environment("test", hosts, setting, secrets, keeps=ROLES.keeps, left_out=left_out)

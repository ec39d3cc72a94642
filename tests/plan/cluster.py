"""Environments for the tests of Docker, swarm and services: any hosts, throw-away secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roles.kit.environment import Environment, Host, Traits
from roles.kit.secrets import Secrets
from roles.kit.settings import Settings, defaults

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
WEAK = {"memory": False, "cpu": False}  # what cgroups of a lab host can limit
STRONG = {"memory": True, "cpu": True}


def environment(
    directory: Path,
    groups: dict[str, str] | None = None,
    docker: dict[str, bool] | None = None,
    **settings: Any,
) -> Environment:
    """An environment of these hosts ({name: groups}; the lab's if not given) and settings."""
    setting = Settings({**defaults(), **settings})
    traits = Traits(2, 8 << 30, 1400, 0, "x86_64", STRONG if docker is None else docker)
    hosts = tuple(
        Host(name, f"10.0.0.{number}", frozenset(of.split()) | {"all"}, setting, traits)
        for number, (name, of) in enumerate((LAB if groups is None else groups).items(), 1)
    )
    secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
    return Environment("test", hosts, setting, secrets)
